import { byDistanceTo, isJsonObject, JsonError, kinds, pythonIndentedJson, readJson, sha3, type JsonObject } from '#protocol';
import { MessageTypes } from './message-types.js';

/** A user's words and signature, in the names of the later dialect. */
export interface SignedUserMessage {
  readonly from_pastelid: string;
  readonly to_pastelid: string;
  readonly message_body: string;
  readonly message_signature: string;
}
/** With its stable id and the time when the first supernode took it. */
export interface IdentifiedUserMessage extends SignedUserMessage {
  readonly id: string;
  readonly timestamp: Date;
}
export type SignedForm = 'body as received' | 'text inside the body' | 'object of the first dialect';

/** It is flooded in clear to every node of the network (messaging spec 4.2). */
export const BODY_LENGTH_MAX = 256 * 1024;
/** So many supernodes, those closest to the recipient, hold a user message (5.3). */
const RELAYS = 3;

/** PostgreSQL stores no NUL, and a lone surrogate has no UTF-8 to sign. */
export const isBody = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= BODY_LENGTH_MAX && value.isWellFormed() && !value.includes('\0');

/** The texts that a client may have signed for this message (5.2), the likeliest first. */
export function signedForms({ from_pastelid, to_pastelid, message_body }: SignedUserMessage): [SignedForm, string][] {
  const forms: [SignedForm, string][] = [['body as received', message_body]];
  const inside = textInside(message_body);
  if (inside !== undefined) forms.push(['text inside the body', inside]);
  // Python's json.dumps: this order of the keys, ASCII only.
  const members = { from_pastelid, to_pastelid, message_body };
  const object = Object.entries(members).map(([key, value]) => `"${key}": ${pythonIndentedJson(value)}`);
  forms.push(['object of the first dialect', `{${object.join(', ')}}`]);
  return forms;
}

/** The later clients send `json.dumps(words)` and sign the words. */
function textInside(body: string): string | undefined {
  if (!body.startsWith('"')) return undefined;
  try {
    const value = readJson(body);
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/** The supernodes to which the message goes (5.3). */
export const relaysFor = (recipient: string, supernodes: readonly string[]): string[] =>
  byDistanceTo(recipient, supernodes).slice(0, RELAYS);

/** The text of the `user_message` between supernodes: the fields of 5.3, and the two that make repeats recognisable. */
export function relayText({
  from_pastelid,
  to_pastelid,
  message_body,
  message_signature,
  id,
  timestamp,
}: IdentifiedUserMessage): string {
  return JSON.stringify({
    message: message_body,
    message_type: MessageTypes.userMessage,
    signature: message_signature,
    from_pastelid,
    to_pastelid,
    id,
    timestamp: timestamp.toISOString(),
  });
}

/** Reads it back; undefined when it is no user message. Peers of the original send neither id nor time. */
export function readRelayText(text: string, sentAt: Date): IdentifiedUserMessage | undefined {
  const given = objectIn(text);
  if (!given) return undefined;
  const { message, signature, from_pastelid, to_pastelid } = given;
  const { pastelId, uuid } = kinds;
  if (
    !isBody(message) ||
    !kinds.signature.accepts(signature) ||
    !pastelId.accepts(from_pastelid) ||
    !pastelId.accepts(to_pastelid)
  )
    return undefined;
  const signed = { from_pastelid, to_pastelid, message_body: message, message_signature: signature };
  const id = uuid.accepts(given['id']) ? given['id'].toLowerCase() : idOfWords(signed);
  return { ...signed, id, timestamp: timeOf(given['timestamp'], sentAt) };
}

/** Of a message without an id: the same for the same signed words, so that two relays of one message make one row. */
function idOfWords({ from_pastelid, to_pastelid, message_body, message_signature }: SignedUserMessage): string {
  const hex = sha3([from_pastelid, to_pastelid, message_signature, message_body].join('\n'));
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}

const DAY_MS = 86_400_000;
/** The relay's word for when it took the message; its own sending time where that is absent or cannot be. */
function timeOf(claimed: unknown, sentAt: Date): Date {
  const time = typeof claimed === 'string' ? Date.parse(claimed) : NaN;
  const isPossible = time <= sentAt.getTime() + 1000 && time >= sentAt.getTime() - DAY_MS;
  return isPossible ? new Date(time) : sentAt;
}

function objectIn(text: string): JsonObject | undefined {
  try {
    const value = readJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
