/**
 * Where a purchase stands. `quoted`: 2.3 was given. `accepted`: the buyer agreed, votes are being collected. `agreed`: 2.8 was given, the
 * burn is awaited. `overdue`: the burn window is over; a burn that was mined in it still counts. `claimed`: the buyer named a burn.
 * `burn-confirmed`: it is good, and nobody else's. `registering`: the ticket may be on its way to the chain.
 */
export const PURCHASE_STATES = [
  'quoted',
  'rejected',
  'declined',
  'lapsed',
  'accepted',
  'terminated',
  'agreed',
  'overdue',
  'claimed',
  'burn-confirmed',
  'registering',
  'completed',
  'failed',
] as const;
export type PurchaseState = (typeof PURCHASE_STATES)[number];

/** Every legal step; what stands nowhere here never happens (credit-packs spec 5). */
const STEPS: Readonly<Record<PurchaseState, readonly PurchaseState[]>> = {
  quoted: ['accepted', 'declined', 'lapsed'],
  rejected: [],
  declined: [],
  lapsed: [],
  accepted: ['agreed', 'terminated', 'lapsed'],
  terminated: [],
  agreed: ['claimed', 'overdue'],
  overdue: ['claimed'],
  claimed: ['burn-confirmed', 'failed'],
  'burn-confirmed': ['registering', 'failed'],
  registering: ['completed', 'failed'],
  completed: [],
  // Another burn may be named after a claim that came to nothing: no coin is lost to a wrong txid (W26).
  failed: ['claimed'],
};

export const BEGINNINGS: readonly PurchaseState[] = ['quoted', 'rejected'];
export const maySucceed = (from: PurchaseState, to: PurchaseState): boolean => STEPS[from].includes(to);
export const isFinal = (state: PurchaseState): boolean => STEPS[state].length === 0;

/** Work that goes on without the buyer: a sweep carries these forward. */
export const IN_PROGRESS: readonly PurchaseState[] = ['claimed', 'burn-confirmed', 'registering'];
/** The total and the place among the buyer's offers are taken. */
export const OPEN: readonly PurchaseState[] = ['quoted', 'accepted', 'agreed', ...IN_PROGRESS];
/** The tracking address is promised to this purchase. */
export const HOLDS_ADDRESS: readonly PurchaseState[] = ['accepted', 'agreed', ...IN_PROGRESS];

export type PurchaseStatus = 'pending' | 'approved' | 'confirmed' | 'completed' | 'failed';
/** What a status answer says of each (credit-packs spec 2.12). */
export const STATUS_DETAILS: Readonly<Record<PurchaseStatus, string>> = {
  pending: 'Waiting for the credit pack purchase request to be processed',
  approved: 'Credit pack purchase request has been approved, waiting for confirmation',
  confirmed: 'Credit pack purchase has been confirmed, waiting for completion',
  completed: 'Credit pack purchase has been completed successfully',
  failed: 'Credit pack purchase has failed',
};

/** By the messages that exist: 2.8, 2.9 and the outcome of 2.10 (credit-packs spec 2.12). */
export function statusOf(known: { response: boolean; confirmation: boolean; outcome?: string | undefined }): PurchaseStatus {
  if (!known.response) return 'pending';
  if (known.outcome !== undefined) return known.outcome === 'success' ? 'completed' : 'failed';
  return known.confirmation ? 'confirmed' : 'approved';
}
