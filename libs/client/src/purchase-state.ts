import { CreditPackPurchaseRequestConfirmation, CreditPackPurchaseRequestResponse } from '#protocol';
import type { Candidate } from './choice.js';
import { messageIn, messageText } from './message-text.js';
import { roundedPatoshis } from './offer.rules.js';

/** A purchase from the moment before its burn on: plain JSON, for a journal. */
export interface PurchaseState {
  readonly buyer: string;
  readonly sellerPastelId: string;
  readonly sellerUrl: string;
  /** The offer's 2.8 as JSON text, numbers as they were hashed. */
  readonly offer: string;
  readonly patoshis: number;
  /** The burn cannot stand below. */
  readonly fromHeight: number;
  readonly burnTxid?: string;
  /** The 2.9 as JSON text: the same one is sent again after a dropped connection. */
  readonly confirmation?: string;
}

export const burning = (
  buyer: string,
  { pastelId, client }: Candidate,
  offer: CreditPackPurchaseRequestResponse,
  fromHeight: number,
): PurchaseState => ({
  buyer,
  sellerPastelId: pastelId,
  sellerUrl: client.url,
  offer: messageText(offer),
  patoshis: roundedPatoshis(offer.proposed_total_cost_of_credit_pack_in_psl),
  fromHeight,
});

export const offerIn = ({ offer }: PurchaseState): CreditPackPurchaseRequestResponse =>
  messageIn(CreditPackPurchaseRequestResponse, offer, 'the purchase');
export const confirmationIn = ({ confirmation }: PurchaseState): CreditPackPurchaseRequestConfirmation | undefined =>
  confirmation === undefined ? undefined : messageIn(CreditPackPurchaseRequestConfirmation, confirmation, 'the purchase');
