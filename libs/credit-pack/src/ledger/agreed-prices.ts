import type { EntityManager } from 'typeorm';
import type { CreditPackPurchaseRequestResponse } from '#protocol';

/** A ticket that shows this node's agreement beside a price that it did not agree to. Prices are PSL for a credit. */
export interface BrokenAgreement {
  readonly requestHash: string;
  readonly sellerPastelId: string;
  readonly ticketPrice: string;
  readonly agreedPrices: readonly string[];
}

/** What this node agreed to as a peer; the side that sells packs remembers it. */
export abstract class AgreedPrices {
  /** Undefined as well where this node did not sign, or what it agreed to is forgotten by now. */
  abstract brokenBy(response: CreditPackPurchaseRequestResponse): Promise<BrokenAgreement | undefined>;
  /** Puts it on record, once for each ticket, and says so in the log. */
  abstract note(manager: EntityManager, registrationTxid: string, broken: BrokenAgreement, now: Date): Promise<void>;
}
