import { Injectable, Param, Query, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { ApiParam, ApiQuery } from '@nestjs/swagger';
import { kinds, type Kind } from '#protocol';
import { missing, shown, Unprocessable } from './problems.js';

/** FastAPI's word for where a value was found. */
export const placeOf = ({ type }: Pick<ArgumentMetadata, 'type'>): string => (type === 'param' ? 'path' : type);

/** A PastelID from the path, the query, a bare JSON string, or the member `pastelid` of a JSON object. */
@Injectable()
export class PastelIdPipe implements PipeTransform {
  transform(value: unknown, metadata: ArgumentMetadata): string {
    const isObject = metadata.type === 'body' && typeof value === 'object' && value !== null;
    const loc = [placeOf(metadata), ...(metadata.data !== undefined ? [metadata.data] : isObject ? ['pastelid'] : [])];
    const pastelId = isObject ? (value as Record<string, unknown>)['pastelid'] : value;
    if (pastelId === undefined) throw new Unprocessable([missing(loc)]);
    if (!kinds.pastelId.accepts(pastelId)) throw new Unprocessable([complaintOf(kinds.pastelId, loc, pastelId)]);
    return pastelId;
  }
}

export function complaintOf<T>(kind: Kind<T>, loc: (string | number)[], input: unknown) {
  const [type, msg] = kind.complaint;
  return { type, loc, msg, input: shown(input) };
}

interface WholeNumberOptions {
  readonly min?: number;
  readonly max?: number;
  /** What an absent query parameter means; required without one. */
  readonly default?: number;
  readonly description?: string;
}

/** A whole number in the path, FastAPI's 422 otherwise. */
export const PathInteger = (name: string, options: Omit<WholeNumberOptions, 'default'> = {}): ParameterDecorator =>
  integer('path', name, options);
/** A whole number in the query, FastAPI's 422 otherwise. */
export const QueryInteger = (name: string, options: WholeNumberOptions = {}): ParameterDecorator =>
  integer('query', name, options);

function integer(place: 'path' | 'query', name: string, options: WholeNumberOptions): ParameterDecorator {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, default: fallback, description = '' } = options;
  const pipe: PipeTransform = {
    transform(value: unknown) {
      const loc = [place, name];
      if (value === undefined && fallback !== undefined) return fallback;
      if (value === undefined) throw new Unprocessable([missing(loc)]);
      const refuse = (type: string, msg: string) => new Unprocessable([{ type, loc, msg, input: shown(value) }]);
      if (typeof value !== 'string' || !/^[+-]?\d{1,20}$/.test(value)) {
        throw refuse('int_parsing', 'Input should be a valid integer, unable to parse string as an integer');
      }
      const number = Number(value);
      if (number < min) throw refuse('greater_than_equal', `Input should be greater than or equal to ${min}`);
      if (number > max) throw refuse('less_than_equal', `Input should be less than or equal to ${max}`);
      return number;
    },
  };
  const schema = {
    type: 'integer',
    minimum: min,
    ...(max < Number.MAX_SAFE_INTEGER && { maximum: max }),
    ...(fallback !== undefined && { default: fallback }),
  };
  return (target, method, index) => {
    const descriptor = Object.getOwnPropertyDescriptor(target, method!)!;
    if (place === 'path') {
      Param(name, pipe)(target, method, index);
      ApiParam({ name, description, schema })(target, method!, descriptor);
    } else {
      Query(name, pipe)(target, method, index);
      ApiQuery({ name, description, required: fallback === undefined, schema })(target, method!, descriptor);
    }
  };
}

interface QueryTextOptions {
  /** What an absent parameter means; required without one. */
  readonly default?: string;
  readonly maxLength?: number;
  readonly description?: string;
}
const QUERY_TEXT_LENGTH_MAX = 4096;

/** A text in the query, given once; FastAPI's 422 otherwise. */
export function QueryText(name: string, options: QueryTextOptions = {}): ParameterDecorator {
  const { default: fallback, maxLength = QUERY_TEXT_LENGTH_MAX, description = '' } = options;
  const pipe: PipeTransform = {
    transform(value: unknown) {
      const loc = ['query', name];
      if (value === undefined && fallback !== undefined) return fallback;
      if (value === undefined) throw new Unprocessable([missing(loc)]);
      if (typeof value !== 'string')
        throw new Unprocessable([{ type: 'string_type', loc, msg: 'Input should be a valid string', input: shown(value) }]);
      if (value.length > maxLength) {
        throw new Unprocessable([
          { type: 'string_too_long', loc, msg: `String should have at most ${maxLength} characters`, input: shown(value) },
        ]);
      }
      return value;
    },
  };
  return (target, method, index) => {
    Query(name, pipe)(target, method, index);
    const schema = { type: 'string', maxLength, ...(fallback !== undefined && { default: fallback }) };
    ApiQuery({ name, description, required: fallback === undefined, schema })(
      target,
      method!,
      Object.getOwnPropertyDescriptor(target, method!)!,
    );
  };
}
