import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { countTokens } from 'gpt-tokenizer/encoding/cl100k_base';
import fc from 'fast-check';
import {
  cl100k,
  claudeTokens,
  deepSeekTokens,
  llamaTokens,
  mistralTokens,
  o200k,
  openAiTokens,
  WHOLE_BYTES_MAX,
} from './tokens.js';

const counters = { cl100k, o200k, claudeTokens, deepSeekTokens, llamaTokens, mistralTokens };
const whole = (text: string): number => countTokens(text, { disallowedSpecial: new Set() });

describe('tokens', () => {
  test('names of special tokens are text', () => {
    for (const count of Object.values(counters)) {
      expect(count('<|endoftext|> and <|im_start|>system')).toBeGreaterThan(8);
      expect(count('\ud800 alone \udc00')).toBeGreaterThan(2);
      expect(count('')).toBe(0);
    }
  });

  test('models that the original has are counted as it does, later ones with their own vocabulary', () => {
    const text = 'Привет, как дела? 你好吗? 🍉';
    expect(openAiTokens(text, { upstream: 'gpt-4o' })).toBe(17);
    expect(openAiTokens(text, { upstream: 'gpt-5.1' })).toBe(12);
  });

  test('cutting a text into slices does not change the count where there are blanks, and hardly where there are none', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abcdeXYZ019.,;!\'"é漢字🍉\n\t<|>'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 200, maxLength: 900 }), (words) => {
        const text = words.join(' ');
        fc.pre(Buffer.byteLength(text) <= WHOLE_BYTES_MAX);
        expect(cl100k(text)).toBe(whole(text));
      }),
      { numRuns: 8 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1000, maxLength: 4000 }), (text) => {
        fc.pre(Buffer.byteLength(text) <= WHOLE_BYTES_MAX);
        const [count, expected] = [cl100k(text), whole(text)];
        expect(Math.abs(count - expected)).toBeLessThanOrEqual(4 * (Math.floor(text.length / 1000) + 1));
      }),
      { numRuns: 8 },
    );
  });

  test('a long text is sampled: the same number each time, close to the real one and not below', () => {
    const words = readFileSync(new URL('./tokens.ts', import.meta.url), 'utf8').split(' ');
    const text = Array.from({ length: 30_000 }, (_, i) => words[(i * i + 7 * i) % words.length]).join(' ');
    const [count, expected] = [cl100k(text), whole(text)];
    expect(cl100k(text)).toBe(count);
    expect(count).toBeGreaterThanOrEqual(expected);
    expect(count).toBeLessThanOrEqual(expected * 1.15);
  });

  test('no text holds up the event loop', () => {
    const long = 10_000_000;
    const hostile = [
      'a'.repeat(long),
      ' '.repeat(long),
      '\n '.repeat(long / 2),
      '漢'.repeat(long / 3),
      '!'.repeat(WHOLE_BYTES_MAX),
    ];
    cl100k('load');
    o200k('load');
    for (const text of hostile) {
      for (const count of [cl100k, o200k]) {
        // Of this process alone: other test workers take the rest of the machine.
        const before = process.cpuUsage();
        expect(count(text)).toBeGreaterThan(0);
        const { user, system } = process.cpuUsage(before);
        // Below 100 ms; tests run with colder code.
        expect((user + system) / 1000).toBeLessThan(500);
      }
    }
  });
});
