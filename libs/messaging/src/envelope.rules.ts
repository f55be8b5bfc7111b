import { isJsonObject, JsonError, readJson, type JsonObject } from '#protocol';

/** What a supernode sends to another (messaging spec 4.1). Only `message` is signed. */
export interface Envelope {
  readonly message: string;
  readonly message_type: string;
  /** Ed448 of the sender's PastelID over the UTF-8 bytes of `message`, base64. */
  readonly signature: string;
  /** The sender's masternode key as the sender knows it; the list's word counts, not this one. */
  readonly sending_sn_pubkey: string;
}

/** pasteld carries no larger message (4.2). */
export const BASE64_LENGTH_MAX = 2 * 1024 * 1024;
/** Six kilobytes can expand to hundreds of megabytes: nothing is inflated that declares more than this (10.2, line 27). */
export const CONTENT_BYTES_MAX = 8 * 1024 * 1024;
const MESSAGE_TYPE_LENGTH_MAX = 200;
const PUBKEY_LENGTH_MAX = 200;

/** Why a received text is no message. The text is what its one line in the log says. */
export class Unacceptable extends Error {
  override readonly name = 'Unacceptable';
}

/** The envelope's JSON as Python's `json.dumps(..., ensure_ascii=False)` prints it: this key order, these separators. */
export function envelopeText({ message, message_type, signature, sending_sn_pubkey }: Envelope): string {
  const members = { message, message_type, signature, sending_sn_pubkey };
  return `{${Object.entries(members)
    .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    .join(', ')}}`;
}

/** Reads the envelope back; spacing and further keys do not matter, names and types do. Throws {@link Unacceptable}. */
export function readEnvelope(text: string): Envelope {
  const { message, message_type, signature, sending_sn_pubkey } = membersOf(text);
  if (typeof message !== 'string') throw new Unacceptable('the envelope has no text under "message"');
  if (typeof message_type !== 'string' || !isMessageType(message_type))
    throw new Unacceptable('the envelope has no usable "message_type"');
  if (typeof signature !== 'string' || !isSignature(signature))
    throw new Unacceptable('the envelope has no base64 Ed448 signature under "signature"');
  if (typeof sending_sn_pubkey !== 'string' || sending_sn_pubkey.length > PUBKEY_LENGTH_MAX)
    throw new Unacceptable('the envelope has no usable "sending_sn_pubkey"');
  return { message, message_type, signature, sending_sn_pubkey };
}

/** Printable, not empty, short: it is stored, indexed and shown. */
export const isMessageType = (text: string): boolean =>
  text.length > 0 && text.length <= MESSAGE_TYPE_LENGTH_MAX && !/\p{Cc}/u.test(text);

/** 114 bytes in standard base64. */
const isSignature = (text: string): boolean => /^[A-Za-z0-9+/]{152}$/.test(text);

function membersOf(text: string): JsonObject {
  try {
    const value = readJson(text);
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new Unacceptable(`the envelope is not JSON: ${error.message} at ${error.position}`);
  }
  throw new Unacceptable('the envelope is not a JSON object');
}

/** The compressed frame inside an inbox item. pasteld's own fee announcements (plain digits) end here. Throws {@link Unacceptable}. */
export function frameIn(base64: string): Buffer {
  if (base64.length > BASE64_LENGTH_MAX) throw new Unacceptable(`larger than ${BASE64_LENGTH_MAX} characters`);
  if (base64.length === 0 || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    throw new Unacceptable('not base64');
  return Buffer.from(base64, 'base64');
}

const MAGIC = 0xfd2fb528;
/** Bytes of the content size field, by the descriptor's top two bits (RFC 8878, 3.1.1.1). */
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;

/** How many bytes a zstd frame declares to hold: zstd refuses a frame that holds another number. Throws {@link Unacceptable}. */
export function declaredContentBytes(frame: Buffer): number {
  if (frame.length < 6 || frame.readUInt32LE(0) !== MAGIC) throw new Unacceptable('not a zstd frame');
  const descriptor = frame[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeClass = descriptor >> 6;
  const sizeBytes = sizeClass === 0 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[sizeClass]!;
  if (sizeBytes === 0) throw new Unacceptable('the zstd frame does not declare its content size');
  const at = 5 + (isSingleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[descriptor & 0x03]!;
  if (frame.length < at + sizeBytes) throw new Unacceptable('the zstd frame is cut off');
  return sizeBytes === 8 ? Number(frame.readBigUInt64LE(at)) : frame.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

/** Throws {@link Unacceptable}. */
export function refuseLarge(frame: Buffer): void {
  const bytes = declaredContentBytes(frame);
  if (bytes > CONTENT_BYTES_MAX) throw new Unacceptable(`the zstd frame declares ${bytes} bytes, more than ${CONTENT_BYTES_MAX}`);
}

/** Strict: a byte sequence that is not UTF-8 is refused, not repaired. Throws {@link Unacceptable}. */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Unacceptable('the content is not UTF-8');
  }
}
