import type { EntityManager } from 'typeorm';

/** A pack whose ticket stands on the chain and passed every check. Amounts in thousandths of a credit. */
export interface CreditPack {
  readonly registrationTxid: string;
  readonly requestHash: string;
  readonly purchaseBurnTxid: string;
  readonly trackingAddress: string;
  readonly ownerPastelId: string;
  readonly authorisedPastelIds: readonly string[];
  readonly initialMillicredits: number;
  /** Height of the ticket. Burns from before the purchase burn are not usage. */
  readonly height: number;
}

/** `initial = available + held + burned`, always. */
export interface PackBalance {
  readonly initialMillicredits: number;
  readonly availableMillicredits: number;
  readonly heldMillicredits: number;
  readonly burnedMillicredits: number;
  /** Burned beyond what was free, as when a pack is spent at two supernodes at once; not part of `burnedMillicredits`. */
  readonly deficitMillicredits?: number;
  /** How many burns count as usage of this pack. */
  readonly usageBurns: number;
}

export type BurnVerdict =
  /** The burn is this request's alone, now and for ever; its hold is settled. `seenAtHeight`: height of its block, or the tip when it was first seen waiting. */
  | { readonly verdict: 'claimed'; readonly seenAtHeight: number }
  /** Nobody knows the transaction yet: ask again later. */
  | { readonly verdict: 'unseen' }
  /**
   * Never good for this request, and why. `ownedMillicredits`: the burn is the owner's all the same (tied to the tracking address, unused, counted
   * against the pack), only too much, too late, or more than the pack still had, so a credit note is owed over what the pack bore of it; the hold
   * is settled by it. Absent: nothing was spent for this
   * request and the hold stays, so that the right burn may still be named. `paidBy`: another burn has settled the hold before; who asks may
   * have died before it took note of that.
   */
  | { readonly verdict: 'refused'; readonly reason: string; readonly ownedMillicredits?: number; readonly paidBy?: string };

/** What a pack is worth and who may spend it. Throws ChainUnavailable rather than guess a balance. */
export abstract class PackLedger {
  /** By registration txid or by the txid of the purchase burn; looked up on the chain and validated when it is new here. */
  abstract find(txid: string): Promise<CreditPack | undefined>;
  /** Mined and waiting burns counted, holds subtracted. */
  abstract balanceOf(pack: CreditPack): Promise<PackBalance>;
  /**
   * Sets credits aside for one request, in the caller's transaction, with one conditional statement; `false` when less is available.
   * Call `refresh(pack)` before the transaction, so that the newest burns are known.
   */
  abstract hold(
    manager: EntityManager,
    hold: { pack: CreditPack; requestId: string; millicredits: number; expiresAtHeight: number },
  ): Promise<boolean>;
  /** Reads the newest burns of the pack from the chain. */
  abstract refresh(pack: CreditPack): Promise<void>;
  /**
   * Judges a burn that its owner names for a request, and settles the hold when it is good (inference spec 5.5 [FIX]). Also for a hold that
   * was released because nobody paid in time. The same pair again gets the same verdict: the caller may have died before it took note.
   */
  abstract claimBurn(claim: { requestId: string; txid: string }): Promise<BurnVerdict>;
  /** Gives held credits back. Nothing happens where the hold is settled already. */
  abstract release(manager: EntityManager, requestId: string): Promise<void>;
}
