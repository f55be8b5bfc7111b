import type { MediaFacts } from '../../providers/provider.js';
import { stands } from './bytes.js';

export type ImageFacts = Extract<MediaFacts, { kind: 'image' }>;
type Size = Pick<ImageFacts, 'width' | 'height'>;

/** Far more than any picture has before its frame. */
const JPEG_SEGMENTS_MAX = 10_000;

const readers: readonly (readonly [ImageFacts['format'], (bytes: Buffer) => Size | undefined])[] = [
  ['png', pngSize],
  ['jpeg', jpegSize],
  ['webp', webpSize],
  ['gif', gifSize],
];

/** Format and size in pixels, as the header tells them; nothing is decoded. `undefined`: no picture of these formats. Throws nothing. */
export function imageFacts(bytes: Buffer): ImageFacts | undefined {
  for (const [format, sizeIn] of readers) {
    const size = sizeIn(bytes);
    if (size && size.width > 0 && size.height > 0) return { kind: 'image', format, ...size };
  }
  return undefined;
}

/** The first chunk is IHDR, always. */
function pngSize(bytes: Buffer): Size | undefined {
  if (bytes.length < 24 || !stands(bytes, '\x89PNG\r\n\x1a\n', 0) || !stands(bytes, 'IHDR', 12)) return undefined;
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

function gifSize(bytes: Buffer): Size | undefined {
  if (bytes.length < 10 || !(stands(bytes, 'GIF87a', 0) || stands(bytes, 'GIF89a', 0))) return undefined;
  return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
}

/** From segment to segment up to the frame header (ITU T.81 B.2.2). */
function jpegSize(bytes: Buffer): Size | undefined {
  if (!stands(bytes, '\xff\xd8', 0)) return undefined;
  let at = 2;
  for (let i = 0; i < JPEG_SEGMENTS_MAX && at + 9 <= bytes.length; i++) {
    const marker = bytes[at + 1]!;
    if (bytes[at] !== 0xff || marker === 0x00 || marker === 0xd9 || marker === 0xda) return undefined;
    if (isFrame(marker)) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else {
      const length = bytes.readUInt16BE(at + 2);
      if (length < 2) return undefined;
      at += 2 + length;
    }
  }
  return undefined;
}
/** SOF0 to SOF15 without DHT, JPG and DAC, which stand among them. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** Lossy, lossless or extended; the first chunk says which. */
function webpSize(bytes: Buffer): Size | undefined {
  if (bytes.length < 30 || !stands(bytes, 'RIFF', 0) || !stands(bytes, 'WEBP', 8)) return undefined;
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8 ':
      if (!stands(bytes, '\x9d\x01\x2a', 23)) return undefined;
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      if (bytes[20] !== 0x2f) return undefined;
      const packed = bytes.readUInt32LE(21);
      return { width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    default:
      return undefined;
  }
}
