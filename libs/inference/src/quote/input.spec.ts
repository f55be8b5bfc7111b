import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Refusal } from '#protocol';
import { inferenceTypes } from '../providers/provider.js';
import { flatObject, quotedText } from './flat-json.rules.js';
import { inputOf } from './input.rules.js';
import { jpeg, mp3, pdf, png } from './media/media-files.spec-suite.js';

const base64 = (content: string | Buffer): string => Buffer.from(content as string).toString('base64');
const json = (value: unknown): string => base64(JSON.stringify(value));
const refusalOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
};
const picture = png(20, 10);
const facts = { kind: 'image', format: 'png', width: 20, height: 10 };

describe('a question about a picture', () => {
  const type = 'ask_question_about_an_image';
  test('comes with the picture as base64 or as a data URI', () => {
    for (const image of [base64(picture), `data:image/png;base64,${base64(picture)}`])
      expect(inputOf(type, json({ image, question: 'What is it?' }))).toEqual({
        text: 'What is it?',
        media: { bytes: picture, facts },
      });
  });
  test('says what is wrong, and what was expected', () => {
    const image = base64(picture);
    expect(refusalOf(() => inputOf(type, json({ image })))).toContain("'question' is not a text");
    expect(refusalOf(() => inputOf(type, json({ image, question: ' ' })))).toContain("'question' is not a text");
    expect(refusalOf(() => inputOf(type, json({ image: base64('no picture'), question: 'x' })))).toContain(
      "'image' is not base64 of a PNG",
    );
    expect(refusalOf(() => inputOf(type, json({ image: 7, question: 'x' })))).toContain("'image' is not base64");
    expect(refusalOf(() => inputOf(type, base64(picture)))).toContain("a JSON object with the texts 'image'");
    expect(refusalOf(() => inputOf(type, json({ image, question: 'x'.repeat(100_001) })))).toContain("'question' is longer");
    expect(refusalOf(() => inputOf(type, '%'))).toBe('model_input_data_json_b64 is not base64');
    expect(refusalOf(() => inputOf(type, 'A'.repeat(48 * 2 ** 20 + 4)))).toContain('is longer than 50331648 characters');
  });
});

describe('a document', () => {
  const file = pdf(3);
  const media = { bytes: file, facts: { kind: 'document', format: 'pdf', pages: 3 } };
  test('is itself, base64 of itself, in quotes, a data URI, or a member of an object', () => {
    for (const type of ['analyze_document', 'embedding_document'] as const) {
      for (const b64 of [
        base64(file),
        base64(base64(file)),
        json(base64(file)),
        base64(`data:application/pdf;base64,${base64(file)}`),
        json({ document: base64(file) }),
      ])
        expect(inputOf(type, b64)).toEqual({ text: '', media });
      expect(inputOf(type, json({ document: base64(file), question: 'Why?', document_file_name: 'a.pdf' }))).toEqual({
        text: 'Why?',
        media,
      });
    }
  });
  test('may be a text, also one that looks like base64 or like JSON', () => {
    for (const text of ['test', 'dGVzdA==', '{"a": 1}', '"quoted"', 'Grüße']) {
      expect(inputOf('embedding_document', base64(text)).media?.bytes.toString()).toBe(text);
    }
  });
  test('that is neither is refused', () => {
    expect(refusalOf(() => inputOf('analyze_document', base64(picture)))).toContain(
      'it is not base64 of a PDF or a text, nor a JSON object',
    );
    expect(refusalOf(() => inputOf('analyze_document', json({ document: '%%' })))).toContain("'document' is not base64 of a PDF");
  });
});

test('a sound', () => {
  const media = { bytes: mp3(2), facts: { kind: 'audio', format: 'mp3', seconds: 2 } };
  expect(inputOf('embedding_audio', json({ audio: base64(mp3(2)), question: 'Who?', audio_file_name: 'a.mp3' }))).toEqual({
    text: 'Who?',
    media,
  });
  for (const b64 of [base64(mp3(2)), base64(base64(mp3(2)))])
    expect(inputOf('embedding_audio', b64)).toEqual({ text: '', media });
  expect(refusalOf(() => inputOf('embedding_audio', json({ audio: base64('la la') })))).toContain(
    "'audio' is not base64 of a sound in MP3",
  );
});

test('a picture to be made larger', () => {
  for (const type of ['conservative_upscale', 'creative_upscale'] as const) {
    for (const b64 of [base64(picture), base64(base64(picture)), json(base64(picture)), json({ image: base64(picture) })])
      expect(inputOf(type, b64)).toEqual({ text: '', media: { bytes: picture, facts } });
    expect(inputOf(type, json({ image: base64(jpeg(9, 8)), prompt: 'a cat' }))).toMatchObject({ text: 'a cat' });
    expect(refusalOf(() => inputOf(type, base64('test')))).toContain('it is not base64 of a PNG');
  }
});

test('what is searched for may be empty: a parameter may say it', () => {
  expect(inputOf('semantic_search', base64('needle'))).toEqual({ text: 'needle' });
  expect(inputOf('advanced_semantic_search', json({ query_text: 'needle' }))).toEqual({ text: 'needle' });
  expect(inputOf('semantic_search', '')).toEqual({ text: '' });
  expect(refusalOf(() => inputOf('text_completion', ''))).toContain('holds no prompt');
});

describe('an object of texts', () => {
  test('is read as JSON reads it', () => {
    const values = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(null), fc.boolean(), fc.integer());
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), values, { maxKeys: 16, noNullPrototype: true }),
        fc.constantFrom(0, 2),
        (object, indent) => {
          const expected = Object.entries(object).map(([name, value]) => [name, typeof value === 'string' ? value : undefined]);
          expect([...(flatObject(JSON.stringify(object, null, indent)) ?? [['nothing']])]).toEqual(expected);
        },
      ),
    );
  });
  test('is nothing where it is more, or broken', () => {
    for (const text of [
      '',
      '{',
      '{"a"',
      '{"a":}',
      '{"a":"b"',
      '{"a":"b",}',
      '{"a":"b"}x',
      '{"a":{}}',
      '{"a":[]}',
      '{"a":"b","a":"c"}',
      '{a:"b"}',
      '{"a":"\ud800"}',
      '{"a":"\\ud800"}',
      '{"a":nullx}',
      '[]',
      '"a"',
    ])
      expect(flatObject(text)).toBeUndefined();
    expect(flatObject(JSON.stringify(Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`n${i}`, '']))))).toBeUndefined();
  });
  test('any text is read without a fault, and only what JSON reads', () => {
    const bits = fc.array(fc.constantFrom('{', '}', '"', ':', ',', '\\', 'a', '1', 'null', ' ', '\n', '[', '\\u0041'), {
      maxLength: 14,
    });
    fc.assert(
      fc.property(
        bits.map((all) => all.join('')),
        (text) => {
          const [object, quoted] = [flatObject(text), quotedText(text)];
          if (object) expect(JSON.parse(text)).toBeInstanceOf(Object);
          if (quoted !== undefined) expect(JSON.parse(text)).toBe(quoted);
        },
      ),
      { numRuns: 3000 },
    );
  });
  test('takes time that grows with its length alone', () => {
    const long = 4 * 2 ** 20;
    for (const text of [
      `{"a":"${'\\'.repeat(long)}`,
      `{"a":"${'\\"'.repeat(long / 2)}`,
      ' '.repeat(long),
      `{${' '.repeat(long)}`,
      `{"a":${'1'.repeat(long)}`,
      '{'.repeat(long),
    ]) {
      const began = performance.now();
      expect(flatObject(text)).toBeUndefined();
      expect(performance.now() - began).toBeLessThan(2000);
    }
  });
});

test('any input of any type is read or refused', () => {
  const pieces = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.string().map((text) => Buffer.from(text)),
    fc.constantFrom(picture, pdf(1), mp3(1)),
    fc
      .record(
        { image: fc.string(), document: fc.base64String(), audio: fc.base64String(), question: fc.string() },
        { requiredKeys: [] },
      )
      .map((value) => Buffer.from(JSON.stringify(value))),
  );
  fc.assert(
    fc.property(fc.constantFrom(...inferenceTypes), pieces, fc.boolean(), (type, bytes, twice) => {
      try {
        const b64 = base64(bytes);
        expect(typeof inputOf(type, twice ? base64(b64) : b64).text).toBe('string');
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
      }
    }),
    { numRuns: 1000 },
  );
});
