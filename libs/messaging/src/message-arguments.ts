import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { missing, shown, Unprocessable, type Problem } from '#http';

/** What the three sending routes take. The passphrase that old clients add is not looked at: the node signs with its own key. */
export interface MessageArguments {
  readonly text: string;
  readonly type: string;
  readonly receiver: string;
  /** Undefined when none are named. */
  readonly receivers: readonly string[] | undefined;
}

const RECEIVERS_MAX = 10_000;

/** From the query, as the original has it, or from a JSON body, where long texts fit (messaging spec 4.7). */
const argumentsOf = (required: readonly string[]) =>
  createParamDecorator((_: unknown, context: ExecutionContext): MessageArguments => {
    const { query, body } = context.switchToHttp().getRequest<Request<object, unknown, unknown>>();
    const given: Record<string, unknown> = { ...(isRecord(body) ? body : {}), ...query };
    const problems: Problem[] = [];
    const text = (name: string): string => {
      const value = given[name];
      if (value === undefined && required.includes(name)) problems.push(missing(['query', name]));
      else if (value !== undefined && typeof value !== 'string') problems.push(notText(name, value));
      return typeof value === 'string' ? value : '';
    };
    const list = (name: string): string[] | undefined => {
      const value = typeof given[name] === 'string' ? [given[name]] : given[name];
      if (value === undefined && required.includes(name)) problems.push(missing(['query', name]));
      if (value === undefined) return undefined;
      if (Array.isArray(value) && value.length <= RECEIVERS_MAX && value.every((item) => typeof item === 'string')) return value;
      problems.push({ type: 'list_type', loc: ['query', name], msg: 'Input should be a valid list', input: shown(value) });
      return undefined;
    };
    const result = {
      text: text('message'),
      type: text('message_type'),
      receiver: text('receiving_sn_pastelid'),
      receivers: list('list_of_receiving_sn_pastelids'),
    };
    if (problems.length > 0) throw new Unprocessable(problems);
    return result;
  });

export const ToOne = argumentsOf(['message', 'message_type', 'receiving_sn_pastelid']);
export const ToMany = argumentsOf(['message', 'message_type', 'list_of_receiving_sn_pastelids']);
export const ToAll = argumentsOf(['message', 'message_type']);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const notText = (name: string, value: unknown): Problem => ({
  type: 'string_type',
  loc: ['query', name],
  msg: 'Input should be a valid string',
  input: shown(value),
});
