import { PythonNumber, patoshisFromPsl, type Json, type JsonObject } from '#protocol';
import { RPC, RpcError } from '../rpc-error.js';

const MONEY_MAX_PATOSHIS = 21_000_000_000 * 100_000;
const TRUE = ['1', 'true', 'on', 'yes', 'y'];
const FALSE = ['0', 'false', 'off', 'no', 'n'];

/** The parameters of one call, read as pasteld reads them; each reader refuses in its words. */
export class Args {
  constructor(
    readonly values: readonly Json[],
    private readonly usage: string,
  ) {}

  get count(): number {
    return this.values.length;
  }
  /** Outside these bounds the answer is the help text, with code -1, or -8 for a family of sub-commands. */
  between(least: number, most: number, code: number = RPC.misc): void {
    if (this.count < least || this.count > most) throw this.help(code);
  }
  help(code: number = RPC.parameter): RpcError {
    return new RpcError(code, this.usage);
  }
  has(at: number): boolean {
    return at < this.count && this.values[at] !== null;
  }

  /** A sub-command: trimmed, in lower case. */
  word(at: number): string {
    const value = this.values[at];
    if (value === undefined) throw this.help();
    if (typeof value !== 'string') throw new RpcError(RPC.parameter, `Failed to parse RPC parameters. ${notA('string')}`);
    return value.trim().toLowerCase();
  }
  text(at: number): string {
    const value = this.values[at];
    if (typeof value !== 'string') throw new RpcError(RPC.misc, notA('string'));
    return value;
  }
  textOr(at: number, otherwise: string): string {
    return this.has(at) ? this.text(at) : otherwise;
  }
  /** A number is taken as its text. */
  looseText(at: number): string {
    const value = this.values[at];
    return value instanceof PythonNumber ? value.text : this.text(at);
  }
  integer(at: number): number {
    return asInteger(this.values[at]);
  }
  integerOr(at: number, otherwise: number): number {
    return this.has(at) ? this.integer(at) : otherwise;
  }
  /** true/false, 0/1 and their words. */
  flag(at: number, otherwise: boolean): boolean {
    return this.has(at) ? looseFlag(this.values[at] as Json) : otherwise;
  }
  strictFlag(at: number, otherwise: boolean): boolean {
    if (!this.has(at)) return otherwise;
    const value = this.values[at];
    if (typeof value !== 'boolean') throw new RpcError(RPC.misc, notA('boolean'));
    return value;
  }
  object(at: number): JsonObject {
    const value = this.values[at];
    if (
      value === undefined ||
      value === null ||
      typeof value !== 'object' ||
      Array.isArray(value) ||
      value instanceof PythonNumber
    ) {
      throw new RpcError(RPC.misc, notAn('object'));
    }
    return value;
  }
  array(at: number): Json[] {
    const value = this.values[at];
    if (!Array.isArray(value)) throw new RpcError(RPC.misc, notAn('array'));
    return value;
  }
  amount(at: number): number {
    return asAmount(this.values[at]);
  }
}

export function asInteger(value: Json | undefined): number {
  if (!(value instanceof PythonNumber) || !value.isInteger) throw new RpcError(RPC.misc, notAn('integer'));
  if (Math.abs(value.value) > 0x7fffffff) throw new RpcError(RPC.misc, 'JSON integer out of range');
  return value.value;
}
export function looseFlag(value: Json): boolean {
  const text =
    typeof value === 'string' ? value.trim().toLowerCase() : value instanceof PythonNumber ? value.text : JSON.stringify(value);
  if (TRUE.includes(text)) return true;
  if (FALSE.includes(text)) return false;
  throw new RpcError(RPC.parameter, `Invalid bool value: ${text}`);
}
/** PSL as a number or a text, in patoshis. */
export function asAmount(value: Json | undefined): number {
  if (typeof value !== 'string' && !(value instanceof PythonNumber))
    throw new RpcError(RPC.type, 'Amount is not a number or string');
  const patoshis = patoshisFromPsl(value);
  if (patoshis === undefined) throw new RpcError(RPC.type, 'Invalid amount');
  if (patoshis < 0 || patoshis > MONEY_MAX_PATOSHIS) throw new RpcError(RPC.type, 'Amount out of range');
  return patoshis;
}
export function asText(value: Json | undefined): string {
  if (typeof value !== 'string') throw new RpcError(RPC.misc, notA('string'));
  return value;
}
const notA = (type: string): string => `JSON value is not a ${type} as expected`;
const notAn = (type: string): string => `JSON value is not an ${type} as expected`;
