import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ratingHundredths } from '#protocol';
import { NOTHING_KNOWN, scoreOf, type Evidence } from './standing.rules.js';

const evidence: fc.Arbitrary<Evidence> = fc
  .record({
    voices: fc.array(fc.nat(500), { maxLength: 50 }),
    answered: fc.nat(10_000),
    missed: fc.nat(10_000),
    resultsAgreeing: fc.nat(100),
    resultsDiffering: fc.nat(100),
  })
  .map(({ missed, ...rest }) => ({ ...rest, asked: rest.answered + missed }));

test('who is unknown starts above the middle', () => {
  expect(scoreOf(NOTHING_KNOWN)).toEqual({ scoreHundredths: 325, ratingHundredths: null });
});

test('a score is a whole number of hundredths from 0 to 5', () => {
  fc.assert(
    fc.property(evidence, (known) => {
      const { scoreHundredths } = scoreOf(known);
      expect(Number.isInteger(scoreHundredths) && scoreHundredths >= 0 && scoreHundredths <= 500).toBe(true);
    }),
  );
});

test('what is good never lowers it, what is bad never raises it', () => {
  fc.assert(
    fc.property(evidence, (known) => {
      const score = (more: Partial<Evidence>): number => scoreOf({ ...known, ...more }).scoreHundredths;
      const now = score({});
      expect(score({ voices: [...known.voices, 500] })).toBeGreaterThanOrEqual(now);
      expect(score({ voices: [...known.voices, 0] })).toBeLessThanOrEqual(now);
      expect(score({ asked: known.asked + 1, answered: known.answered + 1 })).toBeGreaterThanOrEqual(now);
      expect(score({ asked: known.asked + 1 })).toBeLessThanOrEqual(now);
      expect(score({ resultsAgreeing: known.resultsAgreeing + 1 })).toBeGreaterThanOrEqual(now);
      expect(score({ resultsDiffering: known.resultsDiffering + 1 })).toBeLessThanOrEqual(now);
    }),
  );
});

test('a rating has two decimals at most and stays within its bounds', () => {
  fc.assert(fc.property(fc.nat(500), (hundredths) => expect(ratingHundredths(hundredths / 100)).toBe(hundredths)));
  for (const score of [-0.01, 5.01, 4.001, NaN, Infinity, -Infinity]) expect(ratingHundredths(score)).toBeUndefined();
});
