import { PythonNumber } from '#protocol';
import type { Outcome } from '../provider.js';
import { isRecord } from './failures.js';

const EMBEDDING_DIMENSIONS_MAX = 65_536;

/** The `id` of everything in `{"data": [{"id": …}, …]}`, whatever it is; undefined where there is no such list. */
export function idsIn(body: unknown): unknown[] | undefined {
  const data: unknown = isRecord(body) ? body['data'] : undefined;
  return Array.isArray(data) ? (data as unknown[]).map((each) => (isRecord(each) ? each['id'] : undefined)) : undefined;
}

/**
 * A figure of several answers to one request: the only one as it is, nonsense included, for the caller to judge; otherwise the sum, or undefined
 * where one of them is no number.
 */
export function summed(values: readonly unknown[]): unknown {
  if (values.length === 1) return values[0];
  return values.every((value) => typeof value === 'number') ? values.reduce((a, b) => a + b, 0) : undefined;
}

/** What is stored of a vector; undefined where it is no list of numbers. */
export function embeddingOutcome(vector: unknown, usage: Outcome['usage']): Outcome | undefined {
  const isVector = Array.isArray(vector) && vector.length > 0 && vector.length <= EMBEDDING_DIMENSIONS_MAX;
  if (!isVector || !vector.every(Number.isFinite)) return undefined;
  return { output: (vector as number[]).map((x) => PythonNumber.float(x)), outputText: 'embedding', files: ['NA'], usage };
}
