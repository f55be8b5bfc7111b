import { declarationOf, type MessageClass } from './declaration.js';
import type { Json, JsonObject } from './json.js';
import { PythonNumber } from './python-number.js';

/** The fields of a message by name, where the class is known only at run time. */
export type Values = Record<string, unknown>;
export const isPresent = (value: unknown): boolean => value !== undefined && value !== null;

/** From parsed JSON to an instance: declared names only, each read by its kind, null as absent; nothing is judged yet. */
export function received<M extends object>(type: MessageClass<M>, wire: JsonObject): M {
  const message = new type();
  for (const { name, kind } of declarationOf(type).fields) {
    const value = wire[name];
    if (isPresent(value)) (message as Values)[name] = kind.read(value);
  }
  return message;
}

export interface ShapeFault {
  readonly field: string;
  /** FastAPI's name of the fault, and its text. */
  readonly type: string;
  readonly complaint: string;
}

/** Every field that is missing or that its kind does not accept, in declared order. */
export function shapeFaultsOf(message: object): ShapeFault[] {
  return declarationOf(message.constructor).fields.flatMap(({ name, kind, optional }): ShapeFault[] => {
    const value = (message as Values)[name];
    if (!isPresent(value)) return optional ? [] : [{ field: name, type: 'missing', complaint: 'Field required' }];
    return kind.accepts(value) ? [] : [{ field: name, type: kind.complaint[0], complaint: kind.complaint[1] }];
  });
}

/** The message as parsed JSON: its declared fields in declared order, absent ones left out. */
export function toJson(message: object): JsonObject {
  const wire = Object.create(null) as JsonObject;
  for (const { name } of declarationOf(message.constructor).fields) {
    const value = (message as Values)[name];
    if (isPresent(value)) wire[name] = typeof value === 'number' ? PythonNumber.read(String(value)) : (value as Json);
  }
  return wire;
}
