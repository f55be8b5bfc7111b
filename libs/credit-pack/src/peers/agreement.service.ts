import { Injectable } from '@nestjs/common';
import { Freshness } from '#http';
import {
  Refusal,
  type CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
  type CreditPackPurchaseRequestResponse,
  type CreditPackPurchaseRequestResponseTermination,
} from '#protocol';
import { addressTakenText, quoteResponseFaults } from '../purchase/offer.rules.js';
import { OfferService } from '../purchase/offer.service.js';
import type { Purchase } from '../purchase/purchase.entity.js';
import { PurchaseMessages } from '../purchase/purchase-messages.js';
import { PurchaseRepository } from '../purchase/purchase.repository.js';
import { RegisteredTickets } from '../purchase/registered-tickets.js';

type QuoteResponse = CreditPackPurchaseRequestPreliminaryPriceQuoteResponse;
type Answer = CreditPackPurchaseRequestResponse | CreditPackPurchaseRequestResponseTermination;

/**
 * The buyer answers a quote (credit-packs spec 5.4, 5.5).
 * 1. The same answer again gets what it got; a quote takes one answer.
 * 2. The answer has to repeat the quote in every field (W13).
 * 3. A no closes the quote. A yes promises the tracking address to this purchase.
 * 4. The peers vote, and the buyer gets a binding offer or a termination.
 */
@Injectable()
export class AgreementService {
  constructor(
    private readonly purchases: PurchaseRepository,
    private readonly messages: PurchaseMessages,
    private readonly freshness: Freshness,
    private readonly tickets: RegisteredTickets,
    private readonly offers: OfferService,
  ) {}

  async answer(answer: QuoteResponse): Promise<Answer> {
    const purchase = await this.purchases.find(answer.sha3_256_hash_of_credit_pack_purchase_request_fields);
    if (!purchase?.quote) throw new Refusal('not-found', 'No quote was given for this purchase request');
    const first = purchase.quoteResponse ?? (await this.accept(purchase, answer));
    if (hashOf(first) !== hashOf(answer)) throw new Refusal('conflict', 'The quote has been answered already');
    if (!first.agree_with_preliminary_price_quote) throw notAgreed();
    return this.offers.offer(purchase.requestHash);
  }

  /** The quote response that is on file afterwards. */
  private async accept(purchase: Purchase, answer: QuoteResponse): Promise<QuoteResponse> {
    const faults = quoteResponseFaults(answer, purchase.quote!, purchase.pastelId);
    if (faults.length > 0) throw new Refusal('bad-request', `Invalid quote response: ${faults.join(', ')}`);
    const now = this.messages.now.getTime();
    if (purchase.state !== 'quoted' || purchase.expiresAt <= now) throw new Refusal('conflict', 'The quote has expired');
    const isAgreed = answer.agree_with_preliminary_price_quote;
    if (isAgreed) await this.checkNow(purchase, answer);
    const move = await this.purchases.move(purchase, isAgreed ? 'accepted' : 'declined', {
      quoteResponse: answer,
      touchedAt: now,
    });
    if (move === 'taken') throw addressTaken(purchase.trackingAddress, 'another offer');
    if (move === 'moved') return answer;
    const stored = await this.purchases.find(purchase.requestHash);
    if (!stored?.quoteResponse) throw new Refusal('conflict', 'The quote has expired');
    return stored.quoteResponse;
  }

  private async checkNow(purchase: Purchase, answer: QuoteResponse): Promise<void> {
    const faults = await this.freshness.faultsOf(answer);
    if (faults.length > 0) throw new Refusal('bad-request', `Invalid quote response: ${faults.join(', ')}`);
    const { trackingAddress } = purchase;
    const holder =
      (await this.tickets.requestUsingAddress(trackingAddress)) ??
      (await this.purchases.holderOfAddress(trackingAddress, purchase, await this.messages.height()));
    if (holder !== undefined) throw addressTaken(trackingAddress, holder);
  }
}

const hashOf = (answer: QuoteResponse): string =>
  answer.sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_response_fields;
const notAgreed = (): Refusal => new Refusal('bad-request', 'End user does not agree with preliminary price quote');
const addressTaken = (address: string, holder: string): Refusal => new Refusal('conflict', addressTakenText(address, holder));
