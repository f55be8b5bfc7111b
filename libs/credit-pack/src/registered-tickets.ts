import type { CreditPackPurchaseRequestConfirmation, CreditPackPurchaseRequestResponse } from '#protocol';

/** What a purchase has to know of the tickets that stand on the chain. Throws ChainUnavailable rather than guess. */
export abstract class RegisteredTickets {
  /** Request hash of the pack whose usage is paid from this address. */
  abstract requestUsingAddress(trackingAddress: string): Promise<string | undefined>;
  /** Secondary key of the ticket that names the transaction as its purchase burn. */
  abstract keyOfTicketNamingBurn(burnTxid: string): Promise<string | undefined>;
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
