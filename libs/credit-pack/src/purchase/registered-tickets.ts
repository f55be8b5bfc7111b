import type { CreditPackPurchaseRequestConfirmation, CreditPackPurchaseRequestResponse } from '#protocol';

export interface NamingTicket {
  /** F(D), its secondary key. */
  readonly key: string;
  /** It is a pack, or was before a reorganisation; otherwise it may still turn out to be none. */
  readonly isDecided: boolean;
}

/** What a purchase has to know of the tickets that stand on the chain. Throws ChainUnavailable rather than guess. */
export abstract class RegisteredTickets {
  /** Request hash of the pack whose usage is paid from this address. */
  abstract requestUsingAddress(trackingAddress: string): Promise<string | undefined>;
  /** The ticket that names the transaction as its purchase burn. */
  abstract ticketNamingBurn(burnTxid: string): Promise<NamingTicket | undefined>;
  /**
   * Why a mined ticket is no credit pack: an earlier one claims its burn, say. Empty where it stands as one, undefined while that is not
   * decided.
   */
  abstract voidReasonsOf(registrationTxid: string): Promise<readonly string[] | undefined>;
  /**
   * Why the other supernodes would not accept a ticket made of these messages (credit-packs spec 5.11); without a confirmation, as far as
   * the offer alone decides.
   */
  abstract faultsOf(
    response: CreditPackPurchaseRequestResponse,
    confirmation?: CreditPackPurchaseRequestConfirmation,
  ): Promise<string[]>;
}
