import type { Transaction } from '#chain';
import { tenthsOfMillicredits, USAGE_BURN_PATOSHIS_MAX } from '#protocol';

/** What a transaction burns, and who is in it. Amounts in patoshis. */
export interface Burn {
  /** Everything it sends to the burn address. */
  readonly burned: number;
  /** Of that, the outputs of usage size: larger ones are purchases (credit-packs spec 5.12). */
  readonly usage: number;
  readonly inputAddresses: readonly string[];
  /** Addresses of its outputs other than the burn address. */
  readonly changeAddresses: readonly string[];
}

export function burnIn(transaction: Transaction, burnAddress: string): Burn {
  let [burned, usage] = [0, 0];
  for (const { address, patoshis } of transaction.outputs) {
    if (address !== burnAddress) continue;
    burned += patoshis;
    if (patoshis <= USAGE_BURN_PATOSHIS_MAX) usage += patoshis;
  }
  const distinct = (addresses: (string | undefined)[]): string[] => [
    ...new Set(addresses.filter((address): address is string => address !== undefined && address !== burnAddress)),
  ];
  return {
    burned,
    usage,
    inputAddresses: distinct(transaction.inputs.map(({ address }) => address)),
    changeAddresses: distinct(transaction.outputs.map(({ address }) => address)),
  };
}

/** The address pays or gets the change. */
export const isTiedTo = ({ inputAddresses, changeAddresses }: Burn, address: string): boolean =>
  inputAddresses.includes(address) || changeAddresses.includes(address);

export interface NamedBurn {
  readonly burn: Burn;
  /** Undefined while it waits. */
  readonly minedAt: number | undefined;
  /** Height of its block, or the tip when it was first seen waiting, if that was lower. */
  readonly seenAtHeight: number;
}
export interface BurnClaim {
  readonly millicredits: number;
  readonly trackingAddress: string;
  /** Tip when the credits were held. */
  readonly heldAtHeight: number;
  /** The last height at which the burn may be seen or mined. */
  readonly expiresAtHeight: number;
}
export type ClaimJudgement =
  | { readonly verdict: 'good' }
  /** The owner's, and spent, but it does not pay for the request. */
  | { readonly verdict: 'owned'; readonly reason: string }
  | { readonly verdict: 'refused'; readonly reason: string };

/**
 * Whether a burn pays for the request that its owner names it for (inference spec 5.5 [FIX]). pasteld does not choose coins by the
 * tracking address, so a claimed burn counts also where that address only gets the change.
 */
export function judgeClaim(claim: BurnClaim, { burn, minedAt, seenAtHeight }: NamedBurn): ClaimJudgement {
  const { millicredits, trackingAddress, heldAtHeight, expiresAtHeight } = claim;
  if (burn.burned === 0) return refused('sends nothing to the burn address');
  if (!isTiedTo(burn, trackingAddress))
    return refused(
      `is not paid from the tracking address ${trackingAddress}, and that address does not receive its change either`,
    );
  if (burn.usage === 0) return refused('burns a purchase, not usage');
  if (seenAtHeight < heldAtHeight || (minedAt !== undefined && minedAt <= heldAtHeight))
    return refused('is older than the request');
  const patoshis = tenthsOfMillicredits(millicredits);
  const amounts = `burns ${burn.burned} patoshis, and the request asks for exactly ${patoshis}`;
  if (burn.burned < patoshis) return refused(amounts);
  if (burn.burned > patoshis) return { verdict: 'owned', reason: `The transaction ${amounts}` };
  if (seenAtHeight > expiresAtHeight)
    return {
      verdict: 'owned',
      reason: `The transaction came at height ${seenAtHeight}, after the last one allowed, ${expiresAtHeight}`,
    };
  return { verdict: 'good' };
}
const refused = (what: string): ClaimJudgement => ({ verdict: 'refused', reason: `The transaction ${what}` });
