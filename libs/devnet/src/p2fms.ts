import { compress, decompress } from '@bokuweb/zstd-wasm';
import { hash256 } from './bytes.js';
import type { Tx } from './transaction.js';

const KEY_BYTES = 33;
const KEYS_PER_OUTPUT_MAX = 3;
const LENGTH_AND_HASH_BYTES = 8 + 32;
const COMPRESS_FROM_BYTES = 100;
const COMPRESSED_FLAG = 0x80;
const COMPRESSED_HEADER = Buffer.from([1, 0]);
/** The node uses 22, which costs a hundred milliseconds for what a credit pack weighs; readers do not care. */
const ZSTD_LEVEL = 9;
/** A record of more bytes is not read. */
const RECORD_BYTES_MAX = 16 * 1024 * 1024;

/** A ticket as it was cut into multisig outputs (pasteld spec D). */
export interface TicketData {
  readonly ticketId: number;
  readonly record: Buffer;
  readonly compressedSize?: number;
  readonly outputs: number;
  readonly patoshis: number;
}

/** The output scripts that carry a record; `1 <k1> <k2> <k3> 3 CHECKMULTISIG` with keys that are data. */
export function dataScripts(ticketId: number, record: Buffer): Buffer[] {
  const stream = packed(ticketId, record);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(stream.length));
  const content = Buffer.concat([length, hash256(stream), stream]);
  const padded = Buffer.concat([content, Buffer.alloc(KEY_BYTES - (content.length % KEY_BYTES))]);
  const scripts: Buffer[] = [];
  for (let at = 0; at < padded.length; at += KEY_BYTES * KEYS_PER_OUTPUT_MAX) {
    const keys = padded.subarray(at, at + KEY_BYTES * KEYS_PER_OUTPUT_MAX);
    const count = keys.length / KEY_BYTES;
    const pushes = Array.from({ length: count }, (_, i) => [
      Buffer.from([KEY_BYTES]),
      keys.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES),
    ]);
    scripts.push(Buffer.concat([Buffer.from([0x51]), ...pushes.flat(), Buffer.from([0x50 + count, 0xae])]));
  }
  return scripts;
}

function packed(ticketId: number, record: Buffer): Buffer {
  const plain = Buffer.concat([Buffer.from([ticketId]), record]);
  if (record.length <= COMPRESS_FROM_BYTES) return plain;
  const small = Buffer.concat([Buffer.from([ticketId | COMPRESSED_FLAG]), COMPRESSED_HEADER, compress(record, ZSTD_LEVEL)]);
  return small.length < plain.length * 0.97 ? small : plain;
}

export const isDataScript = (script: Buffer): boolean =>
  script[0] === 0x51 && script.at(-1) === 0xae && (script.length - 3) % (KEY_BYTES + 1) === 0 && script.length > 3;

/** Undefined where the transaction carries no such data, or damaged data. */
export function ticketDataOf(tx: Tx): TicketData | undefined {
  const carriers = tx.outputs.filter((output) => isDataScript(output.script));
  if (carriers.length === 0) return undefined;
  const keys = carriers.flatMap(({ script }) =>
    Array.from({ length: (script.length - 3) / (KEY_BYTES + 1) }, (_, i) =>
      script.subarray(2 + i * (KEY_BYTES + 1), 1 + (i + 1) * (KEY_BYTES + 1)),
    ),
  );
  const content = Buffer.concat(keys);
  const length = content.length >= LENGTH_AND_HASH_BYTES ? Number(content.readBigUInt64LE(0)) : 0;
  const stream = content.subarray(LENGTH_AND_HASH_BYTES, LENGTH_AND_HASH_BYTES + length);
  if (stream.length === 0 || stream.length !== length || !hash256(stream).equals(content.subarray(8, LENGTH_AND_HASH_BYTES)))
    return undefined;
  const common = { outputs: carriers.length, patoshis: carriers.reduce((sum, output) => sum + output.patoshis, 0) };
  const first = stream[0] ?? 0;
  if (!(first & COMPRESSED_FLAG)) return { ticketId: first, record: stream.subarray(1), ...common };
  const record = unpacked(stream.subarray(1 + COMPRESSED_HEADER.length));
  return record && { ticketId: first & ~COMPRESSED_FLAG, record, compressedSize: stream.length - 1, ...common };
}

function unpacked(frame: Buffer): Buffer | undefined {
  if (contentSize(frame) > RECORD_BYTES_MAX) return undefined;
  try {
    return Buffer.from(decompress(frame));
  } catch {
    return undefined;
  }
}
/** What a zstd frame says of its content; endless where it does not. */
function contentSize(frame: Buffer): number {
  const descriptor = frame[4] ?? 0;
  const single = (descriptor & 0x20) !== 0;
  const width = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const at = 5 + (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  if (width === 0 || frame.length < at + width) return Infinity;
  if (width === 8) return Number(frame.readBigUInt64LE(at));
  return frame.readUIntLE(at, width) + (width === 2 ? 256 : 0);
}
