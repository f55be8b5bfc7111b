import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { benchmarkScore } from './benchmark.rules.js';
import { livenessOf } from './liveness.controller.js';

test('sixteen answers in four seconds are a ratio of one', () => {
  expect(benchmarkScore(16, 4000)).toEqual({ score: 16, ratio: 1 });
  expect(benchmarkScore(16, 1000)).toEqual({ score: 64, ratio: 4 });
});

test('a score is finite and never negative, however short the run was', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(4000), (answers, elapsed) => {
      const { score, ratio } = benchmarkScore(answers, elapsed);
      expect(Number.isInteger(score) && score >= 0 && Number.isFinite(ratio)).toBe(true);
    }),
  );
});

test('liveness says null before the first benchmark, then the figure and its age', () => {
  const now = new Date('2026-01-05T12:00:10Z');
  expect(livenessOf(undefined, now)).toEqual({
    status: 'alive',
    timestamp: '2026-01-05T12:00:10+00:00',
    raw_benchmark_score: null,
    performance_ratio_score: null,
    last_benchmark_n_seconds_ago: null,
  });
  expect(livenessOf({ score: 64, ratio: 4, at: new Date('2026-01-05T12:00:07.500Z') }, now).last_benchmark_n_seconds_ago).toBe(
    2.5,
  );
});
