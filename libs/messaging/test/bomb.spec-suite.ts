/** A zstd frame of `blocks` runs of one byte, each of `length`; with the content size that it claims, or none (RFC 8878). */
export function frameOfRuns(blocks: number, length: number, declared?: number): Buffer {
  const header = Buffer.alloc(declared === undefined ? 6 : 13);
  header.writeUInt32LE(0xfd2fb528);
  if (declared === undefined)
    header.writeUInt8(0x68, 5); // window of 8 MiB, no size
  else {
    header.writeUInt8(0xe0, 4); // single segment, eight bytes of size
    header.writeBigUInt64LE(BigInt(declared), 5);
  }
  const body = Array.from({ length: blocks }, (_, index) => {
    const block = Buffer.alloc(4, 'a');
    block.writeUIntLE((length << 3) | (1 << 1) | (index === blocks - 1 ? 1 : 0), 0, 3);
    return block;
  });
  return Buffer.concat([header, ...body]);
}

/** About 6 KB that inflate to 200 MB. */
export const bomb = ({ declared }: { declared?: number }): string => frameOfRuns(1526, 131_072, declared).toString('base64');
