import { createHash } from 'node:crypto';

/**
 * A place in the log as one whole number, since readers of the original keep and send back a number: which file, and how many bytes
 * into it. A reader that starts with 0 has read nothing yet.
 */
export interface Place {
  /** 1 to 2^22 - 1; tells the current file from the older ones. */
  readonly generation: number;
  readonly offset: number;
}

/** 2 GiB; 2^22 generations above it stay below 2^53. */
const OFFSETS = 2 ** 31;
const GENERATIONS = 2 ** 22;
const NEWLINE = 0x0a;
/** How much of a file says which one it is. */
export const BEGINNING_BYTES = 256;
export const POSITION_MAX = Number.MAX_SAFE_INTEGER;

export const positionOf = ({ generation, offset }: Place): number => generation * OFFSETS + Math.min(offset, OFFSETS - 1);

/** Any whole number that is not negative is a place, if not one that exists. */
export const placeOf = (position: number): Place => ({
  generation: Math.floor(position / OFFSETS),
  offset: position % OFFSETS,
});

/**
 * Of a file, by the bytes of its first line, which begins with the millisecond at which the file was begun: the same after the file
 * was renamed, another after it was emptied. `undefined` while there is no whole line.
 */
export function generationOf(beginning: Buffer): number | undefined {
  const end = beginning.indexOf(NEWLINE);
  if (end < 0 && beginning.length < BEGINNING_BYTES) return undefined;
  const hash = createHash('sha256')
    .update(beginning.subarray(0, end < 0 ? BEGINNING_BYTES : end))
    .digest();
  return 1 + (hash.readUInt32BE() % (GENERATIONS - 1));
}
