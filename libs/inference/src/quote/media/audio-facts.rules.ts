import type { MediaFacts } from '../../providers/provider.js';
import { stands } from './bytes.js';

export type AudioFacts = Extract<MediaFacts, { kind: 'audio' }>;

/** What adding up fractions may have made too much. */
const ROUNDING = 1e-6;

/** How long a sound plays. */
type SecondsIn = (bytes: Buffer) => number | undefined;
const readers: readonly (readonly [AudioFacts['format'], SecondsIn])[] = [
  ['wav', wavSeconds],
  ['flac', flacSeconds],
  ['ogg', oggSeconds],
  ['m4a', m4aSeconds],
  ['mp3', mp3Seconds],
];

/**
 * Format and length in whole seconds, rounded up. Headers are read and added up, nothing is decoded; where a header may tell less than the file holds, the file's size counts
 * as well. `undefined`: none of these formats, or one that does not tell its length. Throws nothing, and takes time that grows with the size alone.
 */
export function audioFacts(bytes: Buffer): AudioFacts | undefined {
  for (const [format, secondsIn] of readers) {
    const seconds = secondsIn(bytes);
    if (seconds !== undefined && Number.isFinite(seconds) && seconds > 0)
      return { kind: 'audio', format, seconds: Math.max(1, Math.ceil(seconds - ROUNDING)) };
  }
  return undefined;
}

const uint = (bytes: Buffer, at: number, length: number): number | undefined =>
  at + length <= bytes.length ? bytes.readUIntBE(at, length) : undefined;

const CHUNKS_MAX = 10_000;
const PCM = new Set([1, 3, 0xfffe]);

/** RIFF: the format chunk tells the bytes a second, and the size of the data chunk counts as far as the file goes. */
function wavSeconds(bytes: Buffer): number | undefined {
  if (!stands(bytes, 'RIFF', 0) || !stands(bytes, 'WAVE', 8)) return undefined;
  let bytesPerSecond: number | undefined;
  let data = 0;
  for (let at = 12, chunks = 0; at + 8 <= bytes.length && chunks < CHUNKS_MAX; chunks++) {
    const size = bytes.readUInt32LE(at + 4);
    if (stands(bytes, 'fmt ', at) && at + 24 <= bytes.length) {
      const isPcm = PCM.has(bytes.readUInt16LE(at + 8));
      const [channels, rate, told, bits] = [10, 12, 16, 22].map((offset) =>
        offset === 10 || offset === 22 ? bytes.readUInt16LE(at + offset) : bytes.readUInt32LE(at + offset),
      ) as [number, number, number, number];
      bytesPerSecond = isPcm ? (rate * channels * Math.max(bits, 8)) / 8 : told;
    } else if (stands(bytes, 'data', at)) data += Math.min(size, bytes.length - at - 8);
    at += 8 + size + (size % 2);
  }
  return bytesPerSecond === undefined || bytesPerSecond === 0 ? undefined : data / bytesPerSecond;
}

/** STREAMINFO comes first and tells the number of samples; the frames hold no less than fits in them uncompressed. */
function flacSeconds(bytes: Buffer): number | undefined {
  if (bytes.length < 42 || !stands(bytes, 'fLaC', 0) || (bytes[4]! & 0x7f) !== 0) return undefined;
  const rate = bytes.readUIntBE(18, 3) >>> 4;
  const channels = ((bytes[20]! >>> 1) & 7) + 1;
  const bits = (((bytes[20]! & 1) << 4) | (bytes[21]! >>> 4)) + 1;
  const samples = (bytes[21]! & 0x0f) * 2 ** 32 + bytes.readUInt32BE(22);
  if (rate === 0 || samples === 0) return undefined;
  let frames = 4;
  for (let isLast = false; !isLast && frames + 4 <= bytes.length;) {
    isLast = (bytes[frames]! & 0x80) !== 0;
    frames += 4 + bytes.readUIntBE(frames + 1, 3);
  }
  return Math.max(samples / rate, (Math.max(0, bytes.length - frames) * 8) / (rate * channels * bits));
}

interface OggStream {
  readonly rate: number;
  /** Samples at the beginning that are not played. */
  readonly skipped: number;
  granule: number;
}

/** From page to page; each logical stream tells its samples with its last page, and streams follow each other. */
function oggSeconds(bytes: Buffer): number | undefined {
  if (!stands(bytes, 'OggS', 0)) return undefined;
  const streams = new Map<number, OggStream>();
  let seconds = 0;
  for (let at = 0; at + 27 <= bytes.length && stands(bytes, 'OggS', at);) {
    const segments = bytes[at + 26]!;
    const body = at + 27 + segments;
    if (body > bytes.length) break;
    const serial = bytes.readUInt32LE(at + 14);
    if ((bytes[at + 5]! & 2) !== 0) {
      seconds += lengthOf(streams.get(serial));
      streams.delete(serial);
      const stream = oggStreamAt(bytes, body);
      if (stream && streams.size < OGG_STREAMS_MAX) streams.set(serial, stream);
    }
    const stream = streams.get(serial);
    const granule = bytes.readBigInt64LE(at + 6);
    if (stream && granule > 0n) stream.granule = Math.max(stream.granule, Number(granule));
    at = body;
    for (let i = body - segments; i < body; i++) at += bytes[i]!;
  }
  return [...streams.values()].reduce((sum, stream) => sum + lengthOf(stream), seconds);
}
const OGG_STREAMS_MAX = 1000;
const lengthOf = (stream: OggStream | undefined): number =>
  stream ? Math.max(0, stream.granule - stream.skipped) / stream.rate : 0;

/** Opus always counts in 48,000ths of a second. */
function oggStreamAt(bytes: Buffer, at: number): OggStream | undefined {
  if (stands(bytes, 'OpusHead', at) && at + 12 <= bytes.length)
    return { rate: 48_000, skipped: bytes.readUInt16LE(at + 10), granule: 0 };
  if (stands(bytes, '\x01vorbis', at) && at + 16 <= bytes.length) {
    const rate = bytes.readUInt32LE(at + 12);
    return rate > 0 ? { rate, skipped: 0, granule: 0 } : undefined;
  }
  return undefined;
}

const BOXES_MAX = 10_000;
const BOX_DEPTH_MAX = 4;
const PARENTS = new Set(['moov', 'trak', 'mdia', 'mvex']);

/** ISO 14496-12: the longest of the movie, its tracks and, where it comes in fragments, what is foretold of these. */
function m4aSeconds(bytes: Buffer): number | undefined {
  if (!stands(bytes, 'ftyp', 4)) return undefined;
  let longest = 0;
  let movieScale = 0;
  let boxes = 0;
  const walk = (from: number, to: number, depth: number): void => {
    for (let at = from; at + 8 <= to && boxes < BOXES_MAX; boxes++) {
      const small = bytes.readUInt32BE(at);
      const head = small === 1 ? 16 : 8;
      const size = small === 1 ? (uint(bytes, at + 10, 6) ?? 0) : small === 0 ? to - at : small;
      const end = Math.min(at + size, to);
      if (size < head) return;
      const name = bytes.toString('latin1', at + 4, at + 8);
      if (PARENTS.has(name) && depth < BOX_DEPTH_MAX) walk(at + head, end, depth + 1);
      if (name === 'mvhd' || name === 'mdhd') {
        const { scale, duration } = timeAt(bytes, at + head);
        if (name === 'mvhd') movieScale = scale;
        if (scale > 0) longest = Math.max(longest, duration / scale);
      }
      if (name === 'mehd' && movieScale > 0)
        longest = Math.max(longest, durationAt(bytes, at + head, at + head + 4) / movieScale);
      at = end;
    }
  };
  walk(0, bytes.length, 0);
  return longest;
}
/** Version 1 counts in 64 bits. */
function timeAt(bytes: Buffer, at: number): { scale: number; duration: number } {
  const scaleAt = at + (bytes[at] === 1 ? 20 : 12);
  return { scale: uint(bytes, scaleAt, 4) ?? 0, duration: durationAt(bytes, at, scaleAt + 4) };
}
function durationAt(bytes: Buffer, versionAt: number, at: number): number {
  if (bytes[versionAt] === 1) return uint(bytes, at + 2, 6) ?? 0;
  const duration = uint(bytes, at, 4) ?? 0;
  return duration === 0xffffffff ? 0 : duration;
}

const KBITS_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KBITS_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const RATES = [44_100, 48_000, 32_000];
/** Between two frames there may be tags and damage; before the first one there must be little. */
const LEAD_MAX = 64 * 1024;

/** From frame to frame, behind an ID3v2 tag; two frames in a row are a sound. */
function mp3Seconds(bytes: Buffer): number | undefined {
  let at = 0;
  if (stands(bytes, 'ID3', 0) && bytes.length >= 10)
    at = 10 + [6, 7, 8, 9].reduce((size, i) => size * 128 + (bytes[i]! & 0x7f), 0);
  const begin = at;
  let seconds = 0;
  let isSound = false;
  while (at + 4 <= bytes.length) {
    const frame = mp3FrameAt(bytes, at);
    if (frame && (isSound || at + frame.size === bytes.length || mp3FrameAt(bytes, at + frame.size))) {
      isSound = true;
      seconds += frame.seconds;
      at += frame.size;
      continue;
    }
    if (!isSound && at - begin > LEAD_MAX) return undefined;
    const next = bytes.indexOf(0xff, at + 1);
    at = next < 0 ? bytes.length : next;
  }
  return isSound ? seconds : undefined;
}

/** Layer III of MPEG 1, 2 or 2.5 with a fixed bit rate for each frame. */
function mp3FrameAt(bytes: Buffer, at: number): { size: number; seconds: number } | undefined {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe6) !== 0xe2) return undefined;
  const version = (bytes[at + 1]! >> 3) & 3;
  if (version === 1) return undefined;
  const rate = RATES[(bytes[at + 2]! >> 2) & 3];
  const kbits = (version === 3 ? KBITS_1 : KBITS_2)[bytes[at + 2]! >> 4];
  if (rate === undefined || !kbits) return undefined;
  const [samples, hertz] = version === 3 ? [1152, rate] : [576, version === 2 ? rate / 2 : rate / 4];
  const padding = (bytes[at + 2]! >> 1) & 1;
  return { size: Math.floor((samples * 125 * kbits) / hertz) + padding, seconds: samples / hertz };
}
