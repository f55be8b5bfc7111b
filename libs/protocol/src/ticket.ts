import type { Json } from './kernel/json.js';
import type { CreditPackPurchaseRequestConfirmation, CreditPackPurchaseRequestResponse } from './messages/purchase.js';

/** A credit pack as it stands on the chain (credit-packs spec 5.7). */
export interface CreditPackTicket {
  /** The seven hashed fields of the purchase request; neither id nor signature is on the chain. */
  readonly request: Readonly<Record<string, Json>>;
  readonly response: CreditPackPurchaseRequestResponse;
  readonly confirmation: CreditPackPurchaseRequestConfirmation;
  /** F(D): the ticket's secondary key, and so what keeps it from being registered twice. */
  readonly fullyParsedHash: string;
}

export class TicketError extends Error {}

/** The ticket to register: its JSON text (before base64) and F(D), the secondary key. */
export function composeTicket(_response: CreditPackPurchaseRequestResponse, _confirmation: CreditPackPurchaseRequestConfirmation): { json: string; fullyParsedHash: string } {
  throw new Error('pending');
}

/** Reads what stands on the chain; recomputes F(D) and refuses with a {@link TicketError} that says what is wrong. */
export function readTicket(_contractTicket: Json): CreditPackTicket {
  throw new Error('pending');
}
