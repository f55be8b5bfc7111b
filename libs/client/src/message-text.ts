import { isJsonObject, readJson, received, toJson, writeJson, type MessageClass } from '#protocol';
import { ClientError } from './side.js';

/** Messages in a journal: JSON texts, so that numbers keep the printing that was hashed. */
export const messageText = (message: object): string => writeJson(toJson(message));

/** @param what completes "the journal of …" */
export function messageIn<M extends object>(type: MessageClass<M>, text: string, what: string): M {
  const wire = readJson(text);
  if (!isJsonObject(wire)) throw new ClientError('bad-input', `The journal of ${what} is damaged`);
  return received(type, wire);
}
