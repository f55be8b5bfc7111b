import { Injectable } from '@nestjs/common';
import { Freshness } from '#http';
import { Refusal, type CreditPackPurchasePriceAgreementRequest } from '#protocol';
import type { Vote } from './agreement.rules.js';
import { AnnouncedOfferRepository } from './announced-offer.repository.js';
import { copiedRequestFaults } from './announcement.rules.js';
import { OfferTerms } from './offer-terms.service.js';
import { PurchaseMessages } from './purchase-messages.js';
import { PurchasePeers } from './purchase-peers.js';
import { SingleFlight } from './single-flight.js';

/**
 * A supernode asks whether its price is fair (credit-packs spec 5.4).
 * 1. The same question again gets the same vote.
 * 2. Only listed supernodes are answered: the vote carries a signature that goes into tickets (W16).
 * 3. The vote is yes when the price is in the band around this node's own.
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
  ) {}

  vote(question: CreditPackPurchasePriceAgreementRequest): Promise<Vote> {
    const hash = question.sha3_256_hash_of_price_agreement_request_fields;
    return this.flights.run(hash, async () => (await this.announced.voteOn(hash))?.vote ?? this.first(hash, question));
  }

  private async first(questionHash: string, question: CreditPackPurchasePriceAgreementRequest): Promise<Vote> {
    if (!(await this.peers.isListed(question.supernode_requesting_price_agreement_pastelid)))
      throw new Refusal('forbidden', 'Price agreement is for listed supernodes only');
    const faults = [
      ...(await this.freshness.faultsOf(question)),
      ...copiedRequestFaults(question.credit_pack_purchase_request_fields_json_b64, question.credit_usage_tracking_psl_address),
    ];
    if (faults.length > 0) throw new Refusal('bad-request', `Invalid price agreement request: ${faults.join(', ')}`);
    const vote = await this.messages.vote(question, await this.terms.isFair(question.proposed_psl_price_per_credit.value));
    await this.announced.addVote({ questionHash, createdAt: this.messages.now.getTime(), question, vote });
    return vote;
  }
}
