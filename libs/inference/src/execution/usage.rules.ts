import type { ReportedUsage, Workload } from '../providers/provider.js';

/** Tokens used by a request, all completions together. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** `estimated`: the provider said nothing, or something that cannot be. */
  readonly source: 'reported' | 'estimated';
}

/** Our count of the input is an estimate: a report may exceed it this many times before it is called absurd. */
const INPUT_TOLERANCE = 4;
const INPUT_ALLOWANCE = 1000;

/** What to write down of a provider's report. The price does not depend on it: the quote was paid. */
export function soundUsage(reported: ReportedUsage | undefined, work: Workload): Usage {
  const inputMax = (work.inputTokens * INPUT_TOLERANCE + INPUT_ALLOWANCE) * work.completions;
  const outputMax = work.outputTokensMax * work.completions;
  if (reported && counts(reported.inputTokens, inputMax) && counts(reported.outputTokens, outputMax)) {
    return { inputTokens: reported.inputTokens, outputTokens: reported.outputTokens, source: 'reported' };
  }
  return { inputTokens: work.inputTokens * work.completions, outputTokens: outputMax, source: 'estimated' };
}

const counts = (value: unknown, max: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
