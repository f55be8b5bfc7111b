import { sha3 } from './kernel/hash.js';
import { isJsonObject, JsonError, readJson, type Json, type JsonObject } from './kernel/json.js';
import { byCodePoint, pythonAsciiJson, pythonJson } from './kernel/json-text.js';
import { PythonNumber } from './kernel/python-number.js';
import { CREDIT_PACK_TICKET_SUBTYPE } from './network.js';

/** What stands on the chain is no credit pack: anyone may register anything there. */
export class TicketError extends Error {
  override readonly name = 'TicketError';
}

/** Strings within strings within …; a real ticket has five levels. */
const DEPTH_MAX = 100;
/** The hashed text repeats keys once per element, so a small ticket could ask for a huge one; a real one has some 10 KiB. */
const HASHED_TEXT_MAX = 16 * 1024 * 1024;

/**
 * P of credit-packs spec 5.7: every string that holds a JSON object or array becomes that value. Other strings stay:
 * `"1.0"` is text. The order of keys is left to the printing, which sorts.
 */
export function parsedThroughout(value: Json, depth = 0): Json {
  if (depth > DEPTH_MAX) throw new TicketError('The ticket is nested too deeply');
  if (typeof value === 'string') {
    const inner = embedded(value);
    return inner === undefined ? value : parsedThroughout(inner, depth + 1);
  }
  if (Array.isArray(value)) return value.map((item) => parsedThroughout(item, depth + 1));
  if (!isJsonObject(value)) return value;
  const members = Object.create(null) as JsonObject;
  for (const [key, member] of Object.entries(value)) members[key] = parsedThroughout(member, depth + 1);
  return members;
}

function embedded(text: string): Json | undefined {
  if (!/^[ \t\n\r]*[[{]/.test(text)) return undefined;
  try {
    return readJson(text);
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/** The text under F of 5.7, of a value that is {@link parsedThroughout}: `key : leaf` joined by `|`, an element under its list's key. */
export function fullyParsedText(value: Json): string {
  const parts: string[] = [];
  let length = 0;
  const put = (part: string): void => {
    length += part.length;
    if (length > HASHED_TEXT_MAX) throw new TicketError('The ticket is too large');
    parts.push(part);
  };
  leaf(value, '');
  return parts.join('');

  function leaf(node: Json, parentKey: string): void {
    if (Array.isArray(node)) return node.forEach((item, index) => member(parentKey, item, index));
    if (isJsonObject(node))
      return Object.keys(node)
        .sort(byCodePoint)
        .forEach((key, index) => member(key, node[key]!, index));
    put(scalar(node));
  }
  function member(key: string, node: Json, index: number): void {
    put(`${index === 0 ? '' : '|'}${key} : `);
    leaf(node, key);
  }
}

function scalar(value: Json): string {
  if (value instanceof PythonNumber) return value.text;
  if (value === null) return 'None';
  return value === true ? 'True' : value === false ? 'False' : (value as string);
}

export interface ContractTicket {
  /** The JSON text to register, before base64. */
  readonly json: string;
  /** F: the secondary key. */
  readonly fullyParsedHash: string;
}

/** Wraps any data object D as the original does (5.7); the order of the outer keys is part of the text. */
export function contractTicketOf(data: JsonObject): ContractTicket {
  const parsed = parsedThroughout(data);
  const fullyParsedHash = sha3(fullyParsedText(parsed));
  const json =
    `{"ticket_identifier_string": "${CREDIT_PACK_TICKET_SUBTYPE}", ` +
    `"ticket_input_data_fully_parsed_sha3_256_hash": "${fullyParsedHash}", ` +
    `"ticket_uncompressed_size_in_bytes": ${pythonAsciiJson(data).length}, ` +
    `"ticket_input_data_dict": ${pythonJson(parsed)}}`;
  return { json, fullyParsedHash };
}
