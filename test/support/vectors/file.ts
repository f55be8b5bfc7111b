import { isJsonObject, PythonNumber, type Json, type JsonObject } from '#protocol';
import type { Report } from './report.js';

/** One shape of vector file: how it is recognised, and how its cases run. All numbers keep their lexemes. */
export interface VectorShape {
  readonly name: string;
  matches(content: Json): boolean;
  run(content: Json, report: Report, file: string, companions: Companions): Promise<void>;
}
/** Other files of the folder; the dialect file names cases of the canonical one. */
type Companions = (name: string) => Json | undefined;

export const objectOf = (value: Json | undefined): JsonObject => {
  if (!isJsonObject(value)) throw new TypeError('the vector holds no object here');
  return value;
};
export const listOf = (value: Json | undefined): Json[] => {
  if (!Array.isArray(value)) throw new TypeError('the vector holds no list here');
  return value;
};
export const objectsIn = (value: Json | undefined): JsonObject[] => (value === undefined ? [] : listOf(value)).map(objectOf);
export const textOf = (value: Json | undefined): string => {
  if (typeof value !== 'string') throw new TypeError('the vector holds no text here');
  return value;
};
export const textsIn = (value: Json | undefined): string[] => listOf(value).map(textOf);
export const numberOf = (value: Json | undefined): number => {
  if (!(value instanceof PythonNumber)) throw new TypeError('the vector holds no number here');
  return value.value;
};
export const firstOf = (content: Json): Json => (Array.isArray(content) && content.length > 0 ? content[0]! : null);
export const hasMembers = (value: Json, ...names: string[]): boolean =>
  isJsonObject(value) && names.every((name) => name in value);
