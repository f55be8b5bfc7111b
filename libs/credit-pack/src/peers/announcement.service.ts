import { Injectable } from '@nestjs/common';
import { PurchaseSettings } from '#config';
import {
  Refusal,
  type CreditPackPurchaseRequestConfirmation,
  type CreditPackPurchaseRequestConfirmationResponse,
  type CreditPackPurchaseRequestResponse,
  type CreditPackStorageRetryRequestResponse,
} from '#protocol';
import { AnnouncedOfferRepository } from './announced-offer.repository.js';
import { announcedTerms, completionFaults, confirmationFaults } from './announcement.rules.js';
import { PurchaseMessages } from '../purchase/purchase-messages.js';
import { PurchasePeers } from './purchase-peers.js';
import { PurchaseRepository } from '../purchase/purchase.repository.js';
import { RegisteredTickets } from '../purchase/registered-tickets.js';

/** Offers of one supernode that can still be paid; more are not remembered. */
const PAYABLE_PER_SUPERNODE_MAX = 2000;

/**
 * What others say of purchases at other supernodes (credit-packs spec 3.2). Hash and signature are checked at the border; here: that a
 * listed supernode speaks, and that the message belongs to what is known. The same again changes nothing. How old a message is does not
 * matter, since each is bound to an offer, and an offer to its burn window.
 */
@Injectable()
export class AnnouncementService {
  constructor(
    private readonly announced: AnnouncedOfferRepository,
    private readonly purchases: PurchaseRepository,
    private readonly peers: PurchasePeers,
    private readonly tickets: RegisteredTickets,
    private readonly messages: PurchaseMessages,
    private readonly settings: PurchaseSettings,
  ) {}

  /** 2.8: the offer could become a ticket that this node accepts, so its total and address are known here (W16). */
  async offer(response: CreditPackPurchaseRequestResponse): Promise<void> {
    const responseHash = response.sha3_256_hash_of_credit_pack_purchase_request_response_fields;
    if (await this.announced.find(responseHash)) return;
    const supernodePastelId = response.responding_supernode_pastelid;
    const requestHash = response.sha3_256_hash_of_credit_pack_purchase_request_fields;
    await this.mustBeListed(supernodePastelId);
    if (await this.announced.hasAnotherOffer(supernodePastelId, requestHash, responseHash)) throw anotherOffer();
    const lastBurnHeight = response.request_response_pastel_block_height + this.settings.burnWindowBlocks;
    const terms = announcedTerms(response);
    const tip = await this.messages.height();
    if (!terms || lastBurnHeight < tip) throw invalid(['The offer cannot be read or its burn window is over']);
    const faults = await this.tickets.faultsOf(response);
    if (faults.length > 0) throw invalid(faults);
    if ((await this.announced.countPayableFrom(supernodePastelId, tip)) >= PAYABLE_PER_SUPERNODE_MAX)
      throw new Refusal('too-many', 'This supernode has too many open offers');
    const isFirst = await this.announced.add({
      responseHash,
      requestHash,
      supernodePastelId,
      trackingAddress: response.credit_usage_tracking_psl_address,
      lastBurnHeight,
      createdAt: this.messages.now.getTime(),
      response,
      confirmation: null,
      confirmationResponse: null,
      ...terms,
    });
    if (!isFirst) throw anotherOffer();
  }

  /** 2.9, from the buyer: kept for a storage retry. */
  async confirmation(confirmation: CreditPackPurchaseRequestConfirmation): Promise<void> {
    const responseHash = confirmation.sha3_256_hash_of_credit_pack_purchase_request_response_fields;
    const offer = await this.announced.find(responseHash);
    if (!offer) {
      const own = await this.purchases.find(confirmation.sha3_256_hash_of_credit_pack_purchase_request_fields);
      if (own?.responseHash === responseHash) return;
      throw new Refusal('not-found', 'The offer that is confirmed is not known here');
    }
    const faults = confirmationFaults(confirmation, offer.response, offer.pastelId);
    if (faults.length > 0) throw invalid(faults);
    if (await this.announced.confirm(responseHash, confirmation)) return;
    const known = (await this.announced.find(responseHash))?.confirmation;
    if (known && hashOf(known) !== hashOf(confirmation))
      throw new Refusal('conflict', 'Another confirmation of this offer is known');
  }

  /** 2.10, from the supernode that sold the pack. */
  async completion(completion: CreditPackPurchaseRequestConfirmationResponse): Promise<void> {
    await this.mustBeListed(completion.responding_supernode_pastelid);
    const offers = await this.announced.ofRequest(completion.sha3_256_hash_of_credit_pack_purchase_request_fields);
    const judged = offers.map((offer) => ({ offer, faults: completionFaults(completion, offer.response) }));
    const fitting = judged.find(({ faults }) => faults.length === 0);
    if (!fitting) throw judged[0] ? invalid(judged[0].faults) : new Refusal('not-found', 'The purchase is not known here');
    await this.announced.complete(fitting.offer.responseHash, completion);
  }

  /** 2.14, from the supernode that stored the ticket in the place of the seller. */
  async storageRetry(answer: CreditPackStorageRetryRequestResponse): Promise<void> {
    await this.mustBeListed(answer.closest_agreeing_supernode_to_retry_storage_pastelid);
    const requestHash = answer.sha3_256_hash_of_credit_pack_purchase_request_fields;
    const isKnown = (await this.purchases.find(requestHash)) ?? (await this.announced.ofRequest(requestHash))[0];
    if (!isKnown) throw new Refusal('not-found', 'The purchase is not known here');
    const answerHash = answer.sha3_256_hash_of_credit_pack_storage_retry_confirmation_response_fields;
    await this.announced.addAnnouncedStorageRetry({ answerHash, requestHash, createdAt: this.messages.now.getTime(), answer });
  }

  private async mustBeListed(pastelId: string): Promise<void> {
    if (pastelId === this.messages.pastelId) throw new Refusal('forbidden', 'A supernode does not announce to itself');
    if (!(await this.peers.isListed(pastelId))) throw new Refusal('forbidden', 'Announcements are for listed supernodes only');
  }
}

const anotherOffer = (): Refusal => new Refusal('conflict', 'This supernode has announced another offer for the same request');
const hashOf = (confirmation: CreditPackPurchaseRequestConfirmation): string =>
  confirmation.sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields;
const invalid = (faults: readonly string[]): Refusal => new Refusal('bad-request', `Invalid announcement: ${faults.join(', ')}`);
