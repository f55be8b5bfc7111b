import { crc32, deflateSync } from 'node:zlib';

/* Tiny files as their formats' specifications describe them: what programs write, without the content. */

const u16be = (n: number) => Buffer.from([n >> 8, n & 255]);
function uint(n: number, length: number, little = false): Buffer {
  const bytes = Buffer.alloc(length);
  if (little) bytes.writeUIntLE(n, 0, length);
  else bytes.writeUIntBE(n, 0, length);
  return bytes;
}
const all = (...parts: (Buffer | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));

/** White, and whole if it is not too large: every decoder reads it. */
export function png(width: number, height: number): Buffer {
  const chunk = (name: string, data: Buffer) => all(uint(data.length, 4), name, data, uint(checksum(all(name, data)), 4));
  const isSmall = width * height < 1e6;
  const rows = isSmall
    ? Buffer.concat(Array.from({ length: height }, () => Buffer.alloc(1 + width, 255).fill(0, 0, 1)))
    : Buffer.alloc(0);
  const head = all(uint(width, 4), uint(height, 4), Buffer.from([8, 0, 0, 0, 0]));
  return all('\x89PNG\r\n\x1a\n', chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0)));
}
function checksum(bytes: Buffer): number {
  return crc32(bytes);
}

export const jpeg = (width: number, height: number): Buffer =>
  all(
    '\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00',
    all('\xff\xdb', u16be(67), Buffer.alloc(65, 1)),
    all('\xff\xff\xc0', u16be(11), '\x08', u16be(height), u16be(width), '\x01\x01\x11\x00'),
    '\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\xff\xd9',
  );

export const gif = (width: number, height: number): Buffer =>
  all('GIF89a', uint(width, 2, true), uint(height, 2, true), '\x80\x00\x00\xff\xff\xff\x00\x00\x00;');

export function webp(kind: 'VP8 ' | 'VP8L' | 'VP8X', width: number, height: number): Buffer {
  const bodies = {
    'VP8 ': all('\x30\x01\x00\x9d\x01\x2a', uint(width, 2, true), uint(height, 2, true), Buffer.alloc(8)),
    VP8L: all('\x2f', uint((width - 1) | ((height - 1) << 14), 4, true), Buffer.alloc(12)),
    VP8X: all(Buffer.alloc(4), uint(width - 1, 3, true), uint(height - 1, 3, true), Buffer.alloc(8)),
  };
  const body = bodies[kind];
  return all('RIFF', uint(body.length + 12, 4, true), 'WEBP', kind, uint(body.length, 4, true), body);
}

export function pdf(pages: number): Buffer {
  const kids = Array.from({ length: pages }, (_, i) => `${i + 3} 0 R`).join(' ');
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids}] /Count ${pages} >>`,
    ...Array.from({ length: pages }, () => '<</Type/Page/Parent 2 0 R/MediaBox [0 0 612 792]>>'),
  ];
  const body = objects.map((object, i) => `${i + 1} 0 obj\n${object}\nendobj\n`).join('');
  return all('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n', body, 'trailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n');
}

/** Its pages stand in object streams, a hundred in each. */
export function packedPdf(pages: number): Buffer {
  const numbers = Array.from({ length: pages }, (_, i) => i + 10);
  const streams: Buffer[] = [];
  for (let from = 0; from < pages; from += 100) {
    const objects = numbers.slice(from, from + 100).map((number) => ({ number, text: '<< /Type /Page /Parent 2 0 R >> ' }));
    const pairs = objects.map(({ number, text }, i) => `${number} ${i * text.length}`).join(' ') + ' ';
    const data = deflateSync(pairs + objects.map(({ text }) => text).join(''));
    const head = `<< /Type /ObjStm /N ${objects.length} /First ${pairs.length} /Length ${data.length} /Filter /FlateDecode >>`;
    streams.push(all(`${5000 + from} 0 obj\n${head}\nstream\r\n`, data, '\r\nendstream\nendobj\n'));
  }
  return all('%PDF-1.5\n%\xe2\xe3\xcf\xd3\n', '1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n', ...streams, '%%EOF');
}

/** Frames of 24 ms at 48 kHz and 32 kbit/s. */
export function mp3(seconds: number): Buffer {
  const frame = all('\xff\xfb\x14\x00', Buffer.alloc(92));
  return Buffer.concat(Array.from({ length: Math.floor(seconds / 0.024) }, () => frame));
}

/** Sixteen bits, one channel, 8 kHz. */
export function wav(seconds: number, { bytesPerSecond = 16_000 } = {}): Buffer {
  const data = Buffer.alloc(seconds * 16_000);
  const format = all('\x01\x00\x01\x00', uint(8000, 4, true), uint(bytesPerSecond, 4, true), '\x02\x00\x10\x00');
  return all(
    'RIFF',
    uint(36 + data.length, 4, true),
    'WAVEfmt ',
    uint(16, 4, true),
    format,
    'data',
    uint(data.length, 4, true),
    data,
  );
}

/** 44.1 kHz, two channels, sixteen bits. */
export function flac(seconds: number): Buffer {
  const packed = (44_100n << 44n) | (1n << 41n) | (15n << 36n) | BigInt(seconds * 44_100);
  const info = Buffer.alloc(34);
  info.writeBigUInt64BE(packed, 10);
  return all('fLaC\x80', uint(34, 3), info, '\xff\xf8');
}

export function ogg(codec: 'opus' | 'vorbis', seconds: number, serial = 7): Buffer {
  const page = (flags: number, granule: bigint, body: Buffer): Buffer => {
    const position = Buffer.alloc(8);
    position.writeBigInt64LE(granule);
    return all(
      'OggS\x00',
      Buffer.from([flags]),
      position,
      uint(serial, 4, true),
      Buffer.alloc(8),
      Buffer.from([1, body.length]),
      body,
    );
  };
  const head =
    codec === 'opus'
      ? all('OpusHead\x01\x02', uint(312, 2, true), uint(48_000, 4, true), '\x00\x00\x00')
      : all('\x01vorbis', Buffer.alloc(4), '\x02', uint(44_100, 4, true), Buffer.alloc(14));
  const samples = codec === 'opus' ? seconds * 48_000 + 312 : seconds * 44_100;
  return all(page(2, 0n, head), page(0, -1n, Buffer.alloc(200)), page(4, BigInt(samples), Buffer.alloc(200)));
}

export function m4a(seconds: number): Buffer {
  const box = (name: string, ...parts: Buffer[]): Buffer => {
    const body = Buffer.concat(parts);
    return all(uint(body.length + 8, 4), name, body);
  };
  const time = (scale: number) => all(Buffer.alloc(12), uint(scale, 4), uint(seconds * scale, 4), Buffer.alloc(80));
  return all(
    box('ftyp', Buffer.from('M4A \0\0\0\0M4A ')),
    box('moov', box('mvhd', time(600)), box('trak', box('mdia', box('mdhd', time(44_100))))),
    box('mdat', Buffer.alloc(64)),
  );
}
