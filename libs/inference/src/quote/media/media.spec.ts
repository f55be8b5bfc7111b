import { deflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Refusal } from '#protocol';
import { audioFacts } from './audio-facts.rules.js';
import { imageFacts } from './image-facts.rules.js';
import { mediaIn, type Wanted } from './media.rules.js';
import { pdfFacts } from './pdf-facts.rules.js';
import { flac, gif, jpeg, m4a, mp3, ogg, packedPdf, pdf, png, wav, webp } from './media-files.spec-suite.js';

const document = { kind: 'document', pagesMax: 100, office: false } as const;
const wanteds: readonly Wanted[] = [{ kind: 'image' }, { kind: 'audio' }, document, { ...document, office: true }];

const refusalOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
};

const real = [
  png(640, 480),
  jpeg(320, 200),
  gif(7, 9),
  webp('VP8 ', 550, 368),
  webp('VP8L', 16, 12),
  webp('VP8X', 4000, 3000),
  pdf(3),
  packedPdf(12),
  mp3(5),
  wav(2),
  flac(90),
  ogg('opus', 12),
  ogg('vorbis', 12),
  m4a(61),
];

describe('pictures', () => {
  test('format and size are read from the header', () => {
    expect(real.slice(0, 6).map((file) => imageFacts(file))).toEqual([
      { kind: 'image', format: 'png', width: 640, height: 480 },
      { kind: 'image', format: 'jpeg', width: 320, height: 200 },
      { kind: 'image', format: 'gif', width: 7, height: 9 },
      { kind: 'image', format: 'webp', width: 550, height: 368 },
      { kind: 'image', format: 'webp', width: 16, height: 12 },
      { kind: 'image', format: 'webp', width: 4000, height: 3000 },
    ]);
    expect(real.slice(6).map((file) => imageFacts(file))).toEqual(real.slice(6).map(() => undefined));
  });

  test('a picture of nothing is none, and one of too many pixels is refused before anybody decodes it', () => {
    expect(imageFacts(png(0, 5))).toBeUndefined();
    expect(refusalOf(() => mediaIn(png(60_000, 2), { kind: 'image' }, "'image'"))).toContain("'image' has 60000 x 2 pixels");
    expect(refusalOf(() => mediaIn(png(16_000, 16_000), { kind: 'image' }, "'image'"))).toContain('pixels');
    const heavy = Buffer.concat([png(10, 10), Buffer.alloc(21 * 2 ** 20)]);
    expect(refusalOf(() => mediaIn(heavy, { kind: 'image' }, "'image'"))).toContain('larger than 20 MiB');
  });
});

describe('documents', () => {
  const pagesOf = (bytes: Buffer): number | undefined => pdfFacts(bytes)?.pages;

  test('pages are counted in plain files and in packed ones', () => {
    expect([pagesOf(pdf(1)), pagesOf(pdf(37)), pagesOf(packedPdf(1)), pagesOf(packedPdf(250))]).toEqual([1, 37, 1, 250]);
  });
  test('a page that was saved again is one page', () => {
    const saved = Buffer.concat([pdf(4), Buffer.from('\n3 0 obj\n<< /Type /Page /Parent 2 0 R /Rotate 90 >>\nendobj\n%%EOF')]);
    expect(pagesOf(saved)).toBe(4);
  });
  test('what is not a page is not counted', () => {
    const others =
      '9 0 obj << /Type /Pages /PageMode /UseNone /PageLabels 8 0 R /S /Page >> endobj 10 0 obj (/Type /Pagee) endobj';
    expect(pagesOf(Buffer.concat([pdf(2), Buffer.from(others)]))).toBe(2);
  });
  test('where pages cannot be counted, the file counts as the longest that is taken', () => {
    const uncounted = [
      Buffer.from('%PDF-1.7\nnothing in here'),
      Buffer.concat([pdf(1), Buffer.from('5 0 obj << /Type /ObjStm /N 1 /First 4 /Filter /LZWDecode >> stream\nxx endstream')]),
      Buffer.concat([pdf(1), Buffer.from('5 0 obj << /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode >> stream\nxx endstream')]),
      Buffer.concat([
        pdf(1),
        Buffer.from('5 0 obj << /Type /ObjStm /N 9 /First 4 /Filter /FlateDecode >> stream\n'),
        deflateSync('1 0 <<>>'),
      ]),
    ];
    for (const file of uncounted) {
      expect(pagesOf(file)).toBeUndefined();
      expect(mediaIn(file, document, 'it')!.facts).toEqual({ kind: 'document', format: 'pdf', pages: 100 });
    }
  });
  test('a bomb is not inflated', () => {
    const bomb = deflateSync(Buffer.alloc(48 * 2 ** 20));
    const head = Buffer.from('%PDF-1.7\n5 0 obj << /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode >> stream\n');
    const before = process.memoryUsage().arrayBuffers;
    expect(pagesOf(Buffer.concat([head, bomb]))).toBeUndefined();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
  });
  test('an encrypted file, and one of too many pages, are refused', () => {
    const locked = Buffer.concat([pdf(1), Buffer.from('trailer << /Root 1 0 R /Encrypt 9 0 R >>')]);
    expect(refusalOf(() => mediaIn(locked, document, "'document'"))).toContain("'document' is an encrypted PDF");
    expect(refusalOf(() => mediaIn(pdf(101), document, "'document'"))).toContain('has 101 pages; 100 at most');
  });
  test('texts and office files', () => {
    const word = Buffer.from('PK\x03\x04...word/document.xml');
    expect(mediaIn(word, { ...document, office: true }, 'it')?.facts).toMatchObject({ format: 'docx' });
    expect(mediaIn(Buffer.from('Grüße'), document, 'it')?.facts).toEqual({ kind: 'document', format: 'text', pages: 1 });
    for (const bytes of [Buffer.from(' \n'), Buffer.from([0xff, 0xfe]), Buffer.from('a\0b'), Buffer.alloc(0)])
      expect(mediaIn(bytes, document, 'it')).toBeUndefined();
  });
});

describe('sounds', () => {
  test('seconds are added up or read from the header', () => {
    expect(real.slice(8).map((file) => audioFacts(file))).toEqual(
      (
        [
          ['mp3', 5],
          ['wav', 2],
          ['flac', 90],
          ['ogg', 12],
          ['ogg', 12],
          ['m4a', 61],
        ] as const
      ).map(([format, seconds]) => ({ kind: 'audio', format, seconds })),
    );
    expect(real.slice(0, 8).map((file) => audioFacts(file))).toEqual(real.slice(0, 8).map(() => undefined));
  });
  test('a tag before the sound, and damage in it, do not matter', () => {
    const tag = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\x02\0', 'latin1'), Buffer.alloc(256)]);
    expect(audioFacts(Buffer.concat([tag, mp3(3), Buffer.alloc(50, 0xff), mp3(3)]))).toMatchObject({ format: 'mp3', seconds: 6 });
  });
  test('a header cannot shorten what the file holds', () => {
    const short = Buffer.concat([flac(1), Buffer.alloc(2 * 44_100 * 4)]);
    expect(audioFacts(short)?.seconds).toBeGreaterThanOrEqual(2);
    expect(audioFacts(wav(2, { bytesPerSecond: 1e9 }))?.seconds).toBe(2);
  });
  test('two streams behind each other play one after the other', () => {
    expect(audioFacts(Buffer.concat([ogg('opus', 4, 1), ogg('vorbis', 5, 2)]))?.seconds).toBe(9);
  });
  test('what does not tell its length is refused, and so is what never ends', () => {
    expect(audioFacts(flac(0))).toBeUndefined();
    expect(refusalOf(() => mediaIn(m4a(20_000), { kind: 'audio' }, "'audio'"))).toContain('plays for 20000 seconds');
  });
});

describe('anything at all', () => {
  const looks = (bytes: Buffer): void => {
    for (const wanted of wanteds) {
      try {
        mediaIn(bytes, wanted, 'it');
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
      }
    }
  };
  const files = fc.constantFrom(...real);

  test('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => looks(Buffer.from(bytes))));
  });
  test('real files that are cut off', () => {
    fc.assert(
      fc.property(files, fc.nat(), (file, at) => looks(file.subarray(0, at % (file.length + 1)))),
      { numRuns: 500 },
    );
  });
  test('real files with bytes changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(files, changes, (file, all) => {
        const copy = Buffer.from(file);
        for (const [at, value] of all) copy[at % Math.min(copy.length, 200)] = value;
        looks(copy);
      }),
      { numRuns: 1000 },
    );
  });
  test('large files made to take long take no longer than others', () => {
    const size = 4 * 2 ** 20;
    const filled = (head: Buffer, unit: string): Buffer => Buffer.concat([head, Buffer.alloc(size, unit, 'latin1')]);
    const pdfHead = Buffer.from('%PDF-1.7\n1 0 obj ');
    const hostile = [
      filled(pdfHead, '/Type /Page '),
      filled(pdfHead, '/Page'),
      filled(pdfHead, '/Type /ObjStm '),
      filled(pdfHead, '/Encrypt '),
      filled(pdfHead, 'obj'),
      filled(pdfHead, '1 0 obj/Type/Page '),
      filled(Buffer.from('\xff\xd8', 'latin1'), '\xff'),
      filled(Buffer.from('\xff\xd8', 'latin1'), '\xff\xe0\x00\x02'),
      filled(mp3(1), '\xff'),
      filled(mp3(1), '\xff\xfb'),
      filled(ogg('opus', 1), 'OggS\0\x02' + '\0'.repeat(20) + '\0'),
      filled(m4a(1), '\0\0\0\x08moov'),
      filled(wav(1), 'fmt \0\0\0\0'),
      filled(Buffer.from('PK\x03\x04'), 'word/document.xm'),
    ];
    for (const file of hostile) {
      const began = performance.now();
      looks(file);
      expect(performance.now() - began).toBeLessThan(2000);
    }
  });
});
