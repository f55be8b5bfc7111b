/** Where a request stands. The message's own `status` is part of its signed hash and never changes (inference spec 3.1). */
export const requestStates = ['QUOTED', 'CONFIRMED', 'EXECUTING', 'COMPLETED', 'FAILED', 'EXPIRED', 'REFUSED'] as const;
export type RequestState = (typeof requestStates)[number];

/**
 * Every legal step (inference spec 5.7).
 *
 * - QUOTED: credits are held; its burn may be named.
 * - CONFIRMED: the burn is this request's; waits for its turn. Back here from EXECUTING when an attempt failed in a way that may pass.
 * - EXECUTING: an attempt runs under a lease.
 * - COMPLETED: the signed result is stored.
 * - FAILED: all attempts failed, or the provider stayed away for too long; a signed error result and a credit note are stored.
 * - EXPIRED: never paid in time; the hold is released. A burn that its owner names after all still moves it on.
 * - REFUSED: the owner burned, but too late or too much; a signed error result and a credit note are stored.
 */
export const legalSteps: Readonly<Record<RequestState, readonly RequestState[]>> = {
  QUOTED: ['CONFIRMED', 'EXPIRED', 'REFUSED'],
  CONFIRMED: ['EXECUTING', 'FAILED'],
  EXECUTING: ['COMPLETED', 'FAILED', 'CONFIRMED'],
  COMPLETED: [],
  FAILED: [],
  EXPIRED: ['CONFIRMED', 'REFUSED'],
  REFUSED: [],
};

export const mayStep = (from: RequestState, to: RequestState): boolean => legalSteps[from].includes(to);

/** States in which the burn is settled and may not be named anew. */
export const isSettled = (state: RequestState): boolean => state !== 'QUOTED' && state !== 'EXPIRED';

/** States in which the burn is this request's. */
export const isPaid = (state: RequestState): boolean => ['CONFIRMED', 'EXECUTING', 'COMPLETED', 'FAILED'].includes(state);
/** States in which a paid request was run, well or not. */
export const hasEnded = (state: RequestState): boolean => state === 'COMPLETED' || state === 'FAILED';

/** Blocks after the last height for a burn before an unpaid quote is given up: a burn may be mined in time and named a little later. */
const EXPIRY_GRACE_BLOCKS = 5;
/** Unpaid quotes whose last height is below this one have expired. */
export const expiredBelow = (height: number): number => height - EXPIRY_GRACE_BLOCKS;
