import { Injectable } from '@nestjs/common';
import { PurchaseSettings } from '#config';
import { Freshness } from '#http';
import { Refusal, type CreditPackPurchasePriceAgreementRequest } from '#protocol';
import type { Vote } from './agreement.rules.js';
import { AnnouncedOfferRepository, type BuyersAddress } from './announced-offer.repository.js';
import { copiedRequest, copiedRequestFaults } from './announcement.rules.js';
import { OfferTerms } from '../purchase/offer-terms.service.js';
import { PurchaseMessages } from '../purchase/purchase-messages.js';
import { PurchasePeers } from './purchase-peers.js';
import { SingleFlight } from '../single-flight.js';

/**
 * A supernode asks whether its price is fair (credit-packs spec 5.4).
 * 1. The same question again gets the same vote.
 * 2. Only listed supernodes are answered: the vote carries a signature that goes into tickets (W16).
 * 3. A pack of another buyer on the tracking address gets no signature while the first one can still become a ticket: of two tickets for
 *    one address the first on the chain wins, so a cheap one could be slipped in before that of whoever has named the address and paid.
 *    Stored first, then looked at: of two questions at once neither may slip through.
 * 4. The vote is yes when the price is in the band around this node's own.
 */
@Injectable()
export class VoteService {
  private readonly flights = new SingleFlight<Vote>();

  constructor(
    private readonly announced: AnnouncedOfferRepository,
    private readonly messages: PurchaseMessages,
    private readonly peers: PurchasePeers,
    private readonly terms: OfferTerms,
    private readonly freshness: Freshness,
    private readonly settings: PurchaseSettings,
  ) {}

  vote(question: CreditPackPurchasePriceAgreementRequest): Promise<Vote> {
    const hash = question.sha3_256_hash_of_price_agreement_request_fields;
    return this.flights.run(hash, async () => (await this.announced.voteOn(hash))?.vote ?? this.first(hash, question));
  }

  private async first(questionHash: string, question: CreditPackPurchasePriceAgreementRequest): Promise<Vote> {
    if (!(await this.peers.isListed(question.supernode_requesting_price_agreement_pastelid)))
      throw new Refusal('forbidden', 'Price agreement is for listed supernodes only');
    const { credit_usage_tracking_psl_address: trackingAddress } = question;
    const request = copiedRequest(question.credit_pack_purchase_request_fields_json_b64);
    const faults = [...(await this.freshness.faultsOf(question)), ...copiedRequestFaults(request, trackingAddress)];
    if (faults.length > 0) throw new Refusal('bad-request', `Invalid price agreement request: ${faults.join(', ')}`);
    const buyers = { trackingAddress, pastelId: request!.requesting_end_user_pastelid };
    const height = await this.messages.height();
    await this.mustBeFree(buyers, height);
    const vote = await this.messages.vote(question, await this.terms.isFair(question.proposed_psl_price_per_credit.value));
    await this.announced.addVote({ questionHash, ...buyers, height, createdAt: this.messages.now.getTime(), question, vote });
    await this.mustBeFree(buyers, height).catch(async (refusal: unknown) => {
      await this.announced.takeBackVote(questionHash);
      throw refusal;
    });
    // Where two processes were asked at once, the vote that was stored is the answer of both.
    return (await this.announced.voteOn(questionHash))?.vote ?? vote;
  }

  private async mustBeFree(buyers: BuyersAddress, tip: number): Promise<void> {
    if (await this.announced.isAddressOfAnother(buyers, tip - this.settings.burnWindowBlocks, tip))
      throw new Refusal('conflict', `The tracking address ${buyers.trackingAddress} is that of another buyer's purchase`);
  }
}
