import { createHash, timingSafeEqual } from 'node:crypto';
import type { Entropy } from '#protocol';

export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
/** The chain's hash: SHA-256 twice. */
export const hash256 = (bytes: Uint8Array): Buffer => sha256(sha256(bytes));
export const hash160 = (bytes: Uint8Array): Buffer => createHash('ripemd160').update(sha256(bytes)).digest();
/** Hashes are shown in reverse byte order. */
export const shownHash = (hash: Uint8Array): string => Buffer.from(hash).reverse().toString('hex');
export const innerHash = (shown: string): Buffer => Buffer.from(shown, 'hex').reverse();

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
export function i64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}
export function compactSize(value: number): Buffer {
  if (value < 0xfd) return Buffer.from([value]);
  const bytes = Buffer.alloc(value <= 0xffff ? 3 : 5);
  bytes[0] = value <= 0xffff ? 0xfd : 0xfe;
  if (value <= 0xffff) bytes.writeUInt16LE(value, 1);
  else bytes.writeUInt32LE(value, 1);
  return bytes;
}
export const sized = (bytes: Uint8Array): Buffer => Buffer.concat([compactSize(bytes.length), bytes]);
export const sizedText = (text: string): Buffer => sized(Buffer.from(text));
/** `txid-n` or its parts as 36 bytes. */
export const outpointBytes = (txid: string, vout: number): Buffer => Buffer.concat([innerHash(txid), u32(vout)]);

export class DecodeError extends Error {}

/** Reads the chain's binary forms; throws {@link DecodeError} past the end. */
export class ByteReader {
  private at = 0;
  constructor(private readonly source: Buffer) {}

  get left(): number {
    return this.source.length - this.at;
  }
  bytes(length: number): Buffer {
    if (length > this.left) throw new DecodeError('The data ends too early');
    this.at += length;
    return this.source.subarray(this.at - length, this.at);
  }
  u8(): number {
    return this.bytes(1).readUInt8();
  }
  u16(): number {
    return this.bytes(2).readUInt16LE();
  }
  u32(): number {
    return this.bytes(4).readUInt32LE();
  }
  i64(): number {
    const value = Number(this.bytes(8).readBigInt64LE());
    if (!Number.isSafeInteger(value)) throw new DecodeError('The number is too large');
    return value;
  }
  compactSize(): number {
    const first = this.u8();
    if (first < 0xfd) return first;
    if (first === 0xfd) return this.u16();
    if (first === 0xfe) return this.u32();
    throw new DecodeError('The size is too large');
  }
  sized(): Buffer {
    return this.bytes(this.compactSize());
  }
  sizedText(): string {
    return this.sized().toString('utf8');
  }
}

export function randomBytes(entropy: Entropy, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = entropy.below(256);
  return bytes;
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** The highest power of 58 that a plain number holds exactly. */
const CHUNK_DIGITS = 9;
const CHUNK = 58n ** BigInt(CHUNK_DIGITS);

/** Base58check of long data: a few big divisions instead of one small one per digit (a LegRoast key has 5,602). */
export function base58CheckOfLongData(payload: Uint8Array): string {
  const all = Buffer.concat([payload, hash256(payload).subarray(0, 4)]);
  let rest = BigInt(`0x${all.toString('hex')}`);
  const digits: string[] = [];
  while (rest > 0n) {
    const quotient = rest / CHUNK;
    let chunk = Number(rest - quotient * CHUNK);
    rest = quotient;
    for (let i = 0; i < CHUNK_DIGITS; i++) {
      digits.push(BASE58[chunk % 58] ?? '');
      chunk = Math.floor(chunk / 58);
    }
  }
  return digits.reverse().join('').replace(/^1+/, '');
}

/** Compares in equal time, whatever the lengths. */
export const isSameSecret = (given: string, wanted: string): boolean =>
  timingSafeEqual(sha256(Buffer.from(given)), sha256(Buffer.from(wanted)));
