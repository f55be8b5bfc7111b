/** Answers in four seconds that count as a ratio of 1 (inference spec 7.2). */
const BASELINE_ANSWERS = 16;
const PERIOD_MS = 4000;

export interface BenchmarkScore {
  /** Calls to pasteld that would be answered in four seconds. */
  readonly score: number;
  /** `score` over the baseline of 16; clients drop a supernode below 0.75. */
  readonly ratio: number;
}

/** Scales a short run of calls to the four seconds that peers measure. */
export function benchmarkScore(answers: number, elapsedMs: number): BenchmarkScore {
  const score = Math.round((answers * PERIOD_MS) / Math.max(elapsedMs, 1));
  return { score, ratio: ratioOf(score) };
}

export const ratioOf = (score: number): number => score / BASELINE_ANSWERS;
