import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CLAUDE_SHARP_SIGHT, CLAUDE_SIGHT, claudeImageTokens, openAiImageTokens, pixtralImageTokens } from './image-tokens.js';

describe('tokens of a picture', () => {
  const sizes = fc.record({ width: fc.integer({ min: 1, max: 16_384 }), height: fc.integer({ min: 1, max: 16_384 }) });

  test('OpenAI, as the reference counts, also where it broke', () => {
    expect([
      openAiImageTokens({ width: 1024, height: 1024 }),
      openAiImageTokens({ width: 800, height: 600 }),
      openAiImageTokens({ width: 3000, height: 500 }),
      openAiImageTokens({ width: 1024, height: 768 }),
      openAiImageTokens({ width: 768, height: 768 }),
    ]).toEqual([2805, 2125, 765, 2125, 2805]);
  });
  test('Pixtral', () => {
    expect(pixtralImageTokens({ width: 1024, height: 768 })).toBe(3072);
    expect(pixtralImageTokens({ width: 16, height: 16 })).toBe(1);
    expect(pixtralImageTokens({ width: 4000, height: 3000 })).toBe(3072);
  });
  test('Claude', () => {
    expect(claudeImageTokens({ width: 1000, height: 1000 }, CLAUDE_SIGHT)).toBe(1334);
    expect(claudeImageTokens({ width: 4000, height: 3000 }, CLAUDE_SIGHT)).toBe(1600);
    expect(claudeImageTokens({ width: 1, height: 1 }, CLAUDE_SIGHT)).toBe(1);
    expect(claudeImageTokens({ width: 2000, height: 1500 }, CLAUDE_SHARP_SIGHT)).toBe(4000);
  });
  test('any picture has some tokens, and never more than the limit of its model', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        for (const [tokens, most] of [
          [openAiImageTokens(size), 85 + 170 * 16],
          [pixtralImageTokens(size), 64 * 64],
          [claudeImageTokens(size, CLAUDE_SIGHT), 1600],
          [claudeImageTokens(size, CLAUDE_SHARP_SIGHT), 4784],
        ] as const) {
          expect(Number.isSafeInteger(tokens)).toBe(true);
          expect(tokens).toBeGreaterThan(0);
          expect(tokens).toBeLessThanOrEqual(most);
        }
      }),
    );
  });
});
