import { Injectable } from '@nestjs/common';
import { Freshness } from '#http';
import {
  Refusal,
  type CreditPackPurchaseRequest,
  type CreditPackPurchaseRequestPreliminaryPriceQuote,
  type CreditPackPurchaseRequestRejection,
} from '#protocol';
import { addressTakenText } from './offer.rules.js';
import { OfferTerms } from './offer-terms.service.js';
import { Purchase } from './purchase.entity.js';
import { PurchaseMessages } from './purchase-messages.js';
import { PurchaseRepository } from './purchase.repository.js';
import { RegisteredTickets } from './registered-tickets.js';
import { SingleFlight } from '../single-flight.js';

type Answer = CreditPackPurchaseRequestPreliminaryPriceQuote | CreditPackPurchaseRequestRejection;
/** Two open offers with the same random total are unlikely; so many in a row mean that something is wrong. */
const ATTEMPTS_MAX = 20;

/**
 * A user asks for a pack (credit-packs spec 5.2).
 * 1. The same request again gets the answer that it got.
 * 2. What is wrong with it is said in a signed rejection, which is kept.
 * 3. Otherwise it gets a price, and a total that is like no other open offer's.
 */
@Injectable()
export class QuoteService {
  private readonly flights = new SingleFlight<Answer>();

  constructor(
    private readonly purchases: PurchaseRepository,
    private readonly messages: PurchaseMessages,
    private readonly terms: OfferTerms,
    private readonly tickets: RegisteredTickets,
    private readonly freshness: Freshness,
  ) {}

  async quote(request: CreditPackPurchaseRequest): Promise<Answer> {
    const requestHash = request.sha3_256_hash_of_credit_pack_purchase_request_fields;
    return this.flights.run(requestHash, async () => (await this.known(requestHash)) ?? this.first(request));
  }

  /** For a request whose hash or signature is wrong: filed under the rejection's own hash, since its own is not to be believed. */
  async refuse(request: CreditPackPurchaseRequest, faults: readonly string[]): Promise<CreditPackPurchaseRequestRejection> {
    const rejection = await this.messages.rejection(request, faults);
    const rejectionHash = rejection.sha3_256_hash_of_credit_pack_purchase_request_rejection_fields;
    await this.purchases.refuse({ rejectionHash, createdAt: this.messages.now.getTime(), rejection });
    return rejection;
  }

  private async known(requestHash: string): Promise<Answer | undefined> {
    const purchase = await this.purchases.find(requestHash);
    return purchase?.quote ?? purchase?.rejection ?? undefined;
  }

  private async first(request: CreditPackPurchaseRequest): Promise<Answer> {
    const height = await this.messages.height();
    const faults = [
      ...(await this.freshness.faultsOf(request)),
      ...this.terms.faultsOf(request),
      ...(await this.conflicts(request, height)),
    ];
    if (faults.length > 0) return this.rejected(request, faults);
    const price = await this.terms.pricePerCredit();
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const total = this.terms.totalPatoshisOf(request, price);
      if (total === undefined) return this.rejected(request, ['So many credits cost more PSL than can ever be paid']);
      const slot = await this.freeSlot(request.requesting_end_user_pastelid);
      if (slot === undefined) return this.rejected(request, [this.tooManyText()]);
      if (await this.purchases.isTotalAnnounced(total, height)) continue;
      const quote = await this.messages.quote(request, price, total, height);
      const row = { ...this.row(request, total), state: 'quoted' as const, openTotalPatoshis: total, openSlot: slot, quote };
      if (await this.purchases.open(row)) return quote;
      const known = await this.known(row.requestHash);
      if (known) return known;
    }
    throw new Refusal('unavailable', 'No free total was found for this offer; try again later');
  }

  private async rejected(request: CreditPackPurchaseRequest, faults: readonly string[]): Promise<Answer> {
    const rejection = await this.messages.rejection(request, faults);
    const row = { ...this.row(request, 0), state: 'rejected' as const, rejection };
    return (await this.purchases.open(row)) ? rejection : ((await this.known(row.requestHash)) ?? rejection);
  }

  private async conflicts(request: CreditPackPurchaseRequest, height: number): Promise<string[]> {
    const { credit_usage_tracking_psl_address: address, requesting_end_user_pastelid: pastelId } = request;
    const requestHash = request.sha3_256_hash_of_credit_pack_purchase_request_fields;
    const holder =
      (await this.tickets.requestUsingAddress(address)) ??
      (await this.purchases.holderOfAddress(address, { requestHash, pastelId }, height));
    const faults = holder === undefined ? [] : [addressTakenText(address, holder)];
    if ((await this.freeSlot(pastelId)) === undefined) faults.push(this.tooManyText());
    return faults;
  }
  private tooManyText(): string {
    return `This PastelID has ${this.terms.offersMax} open offers already; complete one of them or let it lapse`;
  }
  private async freeSlot(pastelId: string): Promise<string | undefined> {
    const taken = await this.purchases.openSlotsOf(pastelId);
    return Array.from({ length: this.terms.offersMax }, (_, n) => `${pastelId}:${n}`).find((slot) => !taken.has(slot));
  }

  private row(request: CreditPackPurchaseRequest, totalPatoshis: number): Purchase {
    const now = this.messages.now.getTime();
    return Object.assign(new Purchase(), {
      requestHash: request.sha3_256_hash_of_credit_pack_purchase_request_fields,
      pastelId: request.requesting_end_user_pastelid,
      trackingAddress: request.credit_usage_tracking_psl_address,
      request,
      totalPatoshis,
      createdAt: now,
      touchedAt: now,
      expiresAt: now + this.terms.offerLifeMs,
    });
  }
}
