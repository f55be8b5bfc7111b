import type { FailureCode } from '../providers/index.js';

/** What is known of a provider, and when it is asked again. */
export interface Health {
  readonly isWell: boolean;
  /** Why not, in words that hold no secret. */
  readonly reason: string | undefined;
  /** Of the last change between well and unwell. */
  readonly sinceMs: number;
  readonly checkedAtMs: number;
  readonly dueAtMs: number;
  /** Checks in a row that failed. */
  readonly failures: number;
  /** Times that the key was found bad by a paid call, though the free one liked it. */
  readonly reports: number;
}

const WELL_MS = 600_000;
const UNWELL_MS_FIRST = 30_000;
const UNWELL_MS_MAX = 600_000;
/** An account without funds passes the free check: only time, or the operator, tells whether it was mended. */
const REPORTED_MS_FIRST = 300_000;
const REPORTED_MS_MAX = 3_600_000;
/** Well for so long: earlier reports are history. */
const REPORTS_FORGOTTEN_MS = 2 * REPORTED_MS_MAX;
/** Nobody is taken at a word that is older. */
const BELIEVED_MS = 3 * WELL_MS;
const DOUBLINGS_MAX = 10;

/** What went wrong, as far as it matters here. */
interface Trouble {
  readonly code: FailureCode;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
}

/** How far a waiting time of `ms` may be off to either side, so that the nodes of a network do not ask in step. */
export const jitterOf = (ms: number): number => Math.floor(ms / 10);

/** `jitter` takes a length and gives it, somewhat longer or shorter. */
export type Jitter = (ms: number) => number;

/** @param trouble absent where the provider is there and takes the key */
export function afterCheck(before: Health | undefined, trouble: Trouble | undefined, nowMs: number, jitter: Jitter): Health {
  const isWell = trouble === undefined;
  const failures = isWell ? 0 : (before?.failures ?? 0) + 1;
  const sinceMs = before?.isWell === isWell ? before.sinceMs : nowMs;
  const reports = isWell && nowMs - sinceMs >= REPORTS_FORGOTTEN_MS ? 0 : (before?.reports ?? 0);
  const waitMs = isWell ? WELL_MS : unwellMs(UNWELL_MS_FIRST, UNWELL_MS_MAX, failures, trouble);
  return { isWell, reason: trouble?.message, sinceMs, checkedAtMs: nowMs, dueAtMs: nowMs + jitter(waitMs), failures, reports };
}

/**
 * A request failed there. What the operator must mend makes it unwell at once, for longer each time; one that is away is looked at soon.
 * A refusal of one request says nothing.
 */
export function afterReport(before: Health, trouble: Trouble, nowMs: number, jitter: Jitter): Health {
  if (trouble.code === 'unavailable') return { ...before, dueAtMs: Math.min(before.dueAtMs, nowMs + jitter(UNWELL_MS_FIRST)) };
  if (trouble.code !== 'misconfigured') return before;
  // Of requests that ran at the same time the first counts.
  const reports = before.isWell ? before.reports + 1 : Math.max(1, before.reports);
  const waitMs = unwellMs(REPORTED_MS_FIRST, REPORTED_MS_MAX, reports, trouble);
  return {
    isWell: false,
    reason: trouble.message,
    sinceMs: before.isWell ? nowMs : before.sinceMs,
    checkedAtMs: nowMs,
    dueAtMs: nowMs + jitter(waitMs),
    failures: before.failures,
    reports,
  };
}

/** Whether a provider may be offered on the strength of what is known. */
export const isBelievedWell = (health: Health | undefined, nowMs: number): boolean =>
  health !== undefined && health.isWell && !isStale(health, nowMs);

/** Whether it is time to ask. What was asked in the future was asked before somebody set the clock back. */
export const isDue = (health: Health | undefined, nowMs: number): boolean =>
  health === undefined || nowMs >= health.dueAtMs || nowMs < health.checkedAtMs;

/** Never asked, or so long ago that it counts for nothing. */
export const isStale = (health: Health | undefined, nowMs: number): boolean =>
  health === undefined || nowMs < health.checkedAtMs || (nowMs >= health.dueAtMs && nowMs - health.checkedAtMs >= BELIEVED_MS);

const unwellMs = (firstMs: number, maxMs: number, times: number, { retryAfterMs = 0 }: Trouble): number =>
  Math.min(Math.max(firstMs * 2 ** Math.min(times - 1, DOUBLINGS_MAX), retryAfterMs), maxMs);
