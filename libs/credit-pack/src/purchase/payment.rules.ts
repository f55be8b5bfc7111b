import type { Transaction } from '#chain';
import { pslText } from '#protocol';

/** What a burn has to pay, and when (credit-packs spec 5.6). */
export interface Offer {
  readonly totalPatoshis: number;
  /** Height of the offer; a burn in the block of this height may have been mined before the offer was made. */
  readonly offerHeight: number;
  /** The last block in which the burn counts. */
  readonly lastBurnHeight: number;
  readonly trackingAddress: string;
}
export interface PaymentPolicy {
  readonly burnAddress: string;
  readonly confirmations: number;
  /** For a burn that is larger than the offer and not tied to its tracking address. */
  readonly overpaidConfirmations: number;
}
/** What else is known of the named transaction. */
export interface PaymentCircumstances {
  readonly tip: number;
  /** A ticket of another purchase on the chain names the transaction. */
  readonly namedByTicket: boolean;
  /** Such a ticket is not judged to the end yet: anybody's, and perhaps none. */
  readonly mayBeNamedByTicket?: boolean;
  /** What it burns is the very total of another offer that this node knows. */
  readonly isTotalOfAnotherOffer: boolean;
}
export type PaymentVerdict =
  | { readonly verdict: 'good'; readonly excessPatoshis: number; readonly minedAt: number }
  /** The right burn, not deep enough yet. */
  | { readonly verdict: 'waiting' }
  /** Not known to the chain, and still in time. */
  | { readonly verdict: 'unseen' }
  /** Not mined in its window. */
  | { readonly verdict: 'late' }
  /** Will never count for this offer. */
  | { readonly verdict: 'refused'; readonly reason: string };

/** Patoshis that the transaction sends to the burn address. */
export const burnedPatoshisOf = (transaction: Transaction, burnAddress: string): number =>
  transaction.outputs.reduce((sum, { address, patoshis }) => (address === burnAddress ? sum + patoshis : sum), 0);

/**
 * Whether a transaction pays an offer. Who sent it does not matter where the amount is exact: public clients pay from any address of
 * their wallet, and the unguessable total tells whose burn it is. A larger amount tells nothing, so it has to be tied to the
 * tracking address, or wait until its true owner's ticket would have shown.
 */
export function judgePayment(
  transaction: Transaction | undefined,
  offer: Offer,
  policy: PaymentPolicy,
  known: PaymentCircumstances,
): PaymentVerdict {
  if (!transaction) return { verdict: known.tip > offer.lastBurnHeight ? 'late' : 'unseen' };
  const excessPatoshis = burnedPatoshisOf(transaction, policy.burnAddress) - offer.totalPatoshis;
  if (excessPatoshis < 0) {
    const burned = burnedPatoshisOf(transaction, policy.burnAddress);
    return refused(`burns ${pslText(burned)} PSL, and the offer asks for ${pslText(offer.totalPatoshis)} PSL`);
  }
  if (known.namedByTicket) return refused('has paid for another credit pack already');
  const isTied = isTiedTo(transaction, offer.trackingAddress);
  const isForeign = excessPatoshis > 0 && !isTied;
  if (isForeign && known.isTotalOfAnotherOffer) return refused('burns the total of another offer');
  const minedAt = transaction.mined?.height;
  if (minedAt === undefined) return { verdict: known.tip > offer.lastBurnHeight ? 'late' : 'waiting' };
  if (minedAt < offer.offerHeight || (isForeign && minedAt === offer.offerHeight)) return refused('is older than the offer');
  if (minedAt > offer.lastBurnHeight) return { verdict: 'late' };
  if (known.mayBeNamedByTicket) return { verdict: 'waiting' };
  const confirmationsNeeded = isForeign ? Math.max(policy.overpaidConfirmations, policy.confirmations) : policy.confirmations;
  return transaction.confirmations < confirmationsNeeded ? { verdict: 'waiting' } : { verdict: 'good', excessPatoshis, minedAt };
}

/** The tracking address pays or gets change: a transaction of its owner. */
function isTiedTo({ inputs, outputs }: Transaction, trackingAddress: string): boolean {
  return [...inputs, ...outputs].some(({ address }) => address === trackingAddress);
}
const refused = (what: string): PaymentVerdict => ({ verdict: 'refused', reason: `The burn transaction ${what}` });
