import type { FailureCode } from '../providers/index.js';

/** What the last answers of a provider say about the next one. */
export interface Circuit {
  /** Failures in a row that are the service's own. */
  readonly failures: number;
  /** Times in a row that it was opened. */
  readonly openings: number;
  /** Nobody is sent there before; 0 while it is closed. */
  readonly openUntilMs: number;
  /** After that, one request at a time tries whether it is back. */
  readonly isProbing: boolean;
}
export const CLOSED: Circuit = { failures: 0, openings: 0, openUntilMs: 0, isProbing: false };

/** So many failures in a row open it. */
const FAILURES_MAX = 5;
const OPEN_MS_FIRST = 15_000;
const OPEN_MS_MAX = 600_000;
/** What an operator has to mend is not mended in seconds. */
const MISCONFIGURED_MS = 300_000;

/** Whether a request may go there; `probe`: as the only one, to see whether it is back. */
export function admission({ openUntilMs, isProbing }: Circuit, nowMs: number): 'open' | 'probe' | 'closed' {
  if (openUntilMs === 0) return 'open';
  return nowMs < openUntilMs || isProbing ? 'closed' : 'probe';
}

export const probing = (circuit: Circuit): Circuit => ({ ...circuit, isProbing: true });

/** A probe that was given up says nothing; the next one may try. */
export const probeAbandoned = (circuit: Circuit): Circuit => ({ ...circuit, isProbing: false });

/**
 * What a failure does. A refusal of one request shows that the service is alive. A limit on the rate closes the door for as long as the
 * service asks; a key that is not taken, until somebody may have mended it.
 */
export function afterFailure(
  circuit: Circuit,
  failure: { code: FailureCode; retryAfterMs?: number | undefined },
  nowMs: number,
): Circuit {
  const { code, retryAfterMs = 0 } = failure;
  switch (code) {
    case 'refused':
    case 'answer_too_large':
      return CLOSED;
    case 'rate_limited':
      return opened({ ...circuit, failures: 0 }, Math.max(retryAfterMs, OPEN_MS_FIRST / 3), nowMs, 0);
    case 'misconfigured':
      return opened(circuit, MISCONFIGURED_MS, nowMs, 1);
    case 'unavailable':
    case 'malformed_answer':
    case 'deadline_exceeded': {
      // Of a request that went in before the door was closed: it says nothing new.
      if (nowMs < circuit.openUntilMs && !circuit.isProbing && retryAfterMs === 0) return circuit;
      const failures = circuit.failures + 1;
      if (failures < FAILURES_MAX && circuit.openUntilMs === 0 && retryAfterMs === 0) return { ...circuit, failures };
      return opened(circuit, Math.max(retryAfterMs, OPEN_MS_FIRST * 2 ** circuit.openings), nowMs, 1);
    }
  }
}

function opened(circuit: Circuit, forMs: number, nowMs: number, more: number): Circuit {
  const openUntilMs = nowMs + Math.min(forMs, OPEN_MS_MAX);
  // An answer to an older request does not open the door earlier than was said since.
  return {
    failures: 0,
    openings: Math.min(circuit.openings + more, 10),
    openUntilMs: Math.max(openUntilMs, circuit.openUntilMs),
    isProbing: false,
  };
}
