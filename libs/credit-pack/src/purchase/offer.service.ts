import { Injectable, Logger } from '@nestjs/common';
import { PurchaseSettings } from '#config';
import {
  Refusal,
  type CreditPackPurchaseRequestPreliminaryPriceQuote,
  type CreditPackPurchaseRequestResponse,
  type CreditPackPurchaseRequestResponseTermination,
} from '#protocol';
import { terminationReasonOf, TOO_FEW_AGREED, type TerminationReason } from '../peers/agreement.rules.js';
import { Outbox } from './outbox.service.js';
import type { Purchase } from './purchase.entity.js';
import { PurchaseMessages } from './purchase-messages.js';
import { PurchaseRepository } from './purchase.repository.js';
import { RegisteredTickets } from './registered-tickets.js';
import { SingleFlight } from '../single-flight.js';
import { VoteCollection } from '../peers/vote-collection.service.js';

type Quote = CreditPackPurchaseRequestPreliminaryPriceQuote;
type Response = CreditPackPurchaseRequestResponse;
type Answer = Response | CreditPackPurchaseRequestResponseTermination;

/**
 * Turns an accepted quote into a binding offer.
 * 1. The candidates vote; too few or too unlike, and the purchase is terminated.
 * 2. The offer is made of the votes and judged as every supernode will judge its ticket.
 * 3. It is stored with the announcements that it owes, and only then given out.
 */
@Injectable()
export class OfferService {
  private readonly logger = new Logger(OfferService.name);
  private readonly flights = new SingleFlight<Answer>();

  constructor(
    private readonly purchases: PurchaseRepository,
    private readonly messages: PurchaseMessages,
    private readonly collection: VoteCollection,
    private readonly tickets: RegisteredTickets,
    private readonly outbox: Outbox,
    private readonly settings: PurchaseSettings,
  ) {}

  /** The answer that is on file, or made now. A vote that was cut off is taken again. */
  offer(requestHash: string): Promise<Answer> {
    return this.flights.run(requestHash, async () => {
      const purchase = await this.purchases.find(requestHash);
      const known = purchase?.response ?? purchase?.termination;
      if (known) return known;
      if (purchase?.state !== 'accepted') throw new Refusal('conflict', 'The quote has expired');
      return this.decided(purchase, purchase.quote!);
    });
  }

  private async decided(purchase: Purchase, quote: Quote): Promise<Answer> {
    const candidates = await this.collection.candidates(this.messages.pastelId);
    const question = await this.messages.question(quote, await this.messages.height());
    const votes = await this.collection.votes(candidates.asked, question);
    const agreeing = votes.filter((vote) => vote.agree_with_proposed_price);
    const tally = { asked: candidates.asked.length, answered: votes.length, agreed: agreeing.length };
    const reason = terminationReasonOf(tally, this.settings);
    if (reason) return this.terminate(purchase, quote, reason, JSON.stringify(tally));
    const response = await this.messages.response(quote, candidates, agreeing);
    const faults = await this.tickets.faultsOf(response);
    if (faults.length > 0) return this.terminate(purchase, quote, TOO_FEW_AGREED, faults.join('; '));
    return this.store(purchase, response);
  }

  private async store(purchase: Purchase, response: Response): Promise<Answer> {
    const responseHash = response.sha3_256_hash_of_credit_pack_purchase_request_response_fields;
    const offerHeight = response.request_response_pastel_block_height;
    const announcements = this.outbox.compose(
      'responseAnnouncement',
      response,
      responseHash,
      response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms,
    );
    const changes = {
      response,
      responseHash,
      offerHeight,
      lastBurnHeight: offerHeight + this.settings.burnWindowBlocks,
      touchedAt: this.messages.now.getTime(),
    };
    if ((await this.purchases.move(purchase, 'agreed', changes, announcements)) !== 'moved') return this.stored(purchase);
    this.outbox.kick();
    return response;
  }

  private async terminate(purchase: Purchase, quote: Quote, reason: TerminationReason, details: string): Promise<Answer> {
    this.logger.warn(`Purchase ${purchase.requestHash} terminated: ${reason} (${details})`);
    const termination = await this.messages.termination(quote, reason);
    const changes = { termination, touchedAt: this.messages.now.getTime() };
    return (await this.purchases.move(purchase, 'terminated', changes)) === 'moved' ? termination : this.stored(purchase);
  }

  private async stored({ requestHash }: Purchase): Promise<Answer> {
    const purchase = await this.purchases.find(requestHash);
    const known = purchase?.response ?? purchase?.termination;
    if (!known) throw new Refusal('conflict', 'The quote has expired');
    return known;
  }
}
