import type { FailureCode, ProviderFailure } from '../providers/index.js';

/** Where a paid request stands when an attempt has failed. */
export interface Standing {
  /** This one included. */
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly nowMs: number;
  /** Nobody waits for an answer after that. */
  readonly waitUntilMs: number;
  /** Another model that the user allowed, at the same price. */
  readonly hasFallback: boolean;
}
export type NextStep =
  { readonly step: 'retry'; readonly atMs: number } | { readonly step: 'fall back' } | { readonly step: 'fail' };

const RETRY_FIRST_MS = 5_000;
/**
 * Attempts at one model, by how it failed. Where nothing was done nothing is lost by asking again. An answer that makes no sense was probably
 * charged to this node, so it is asked for once more only; one that did not come in time may have been, and time is over.
 */
const ATTEMPTS_MAX: Readonly<Record<FailureCode, number>> = {
  refused: 1,
  misconfigured: 1,
  unavailable: Infinity,
  rate_limited: Infinity,
  malformed_answer: 2,
  deadline_exceeded: 1,
  answer_too_large: 1,
};
/** The request itself is at fault: another model is not asked. */
const FINAL: readonly FailureCode[] = ['refused', 'answer_too_large'];

/** 5 s, 20 s, 80 s … or what the service asks for. */
const pauseAfter = (attempts: number, retryAfterMs = 0): number => Math.max(RETRY_FIRST_MS * 4 ** (attempts - 1), retryAfterMs);

/** What becomes of a paid request after a failed attempt (docs/providers.md, outcomes). */
export function stepAfter(failure: Pick<ProviderFailure, 'code' | 'retryable' | 'retryAfterMs'>, standing: Standing): NextStep {
  const { code, retryable, retryAfterMs } = failure;
  const atMs = standing.nowMs + pauseAfter(standing.attempts, retryAfterMs);
  const attemptsMax = Math.min(ATTEMPTS_MAX[code], standing.attemptsMax);
  if (retryable && standing.attempts < attemptsMax && atMs <= standing.waitUntilMs) return { step: 'retry', atMs };
  return standing.hasFallback && !FINAL.includes(code) ? { step: 'fall back' } : { step: 'fail' };
}
