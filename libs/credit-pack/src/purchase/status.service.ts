import { Injectable } from '@nestjs/common';
import { Refusal, type CreditPackPurchaseRequestStatus, type CreditPackRequestStatusCheck } from '#protocol';
import { AnnouncedOfferRepository } from '../peers/announced-offer.repository.js';
import { PurchaseMessages } from './purchase-messages.js';
import { statusOf } from './purchase-state.rules.js';
import { PurchaseRepository } from './purchase.repository.js';

/** How far a purchase is, at this supernode or as far as this one was told (credit-packs spec 2.12). Nothing is stored (W15). */
@Injectable()
export class StatusService {
  constructor(
    private readonly purchases: PurchaseRepository,
    private readonly announced: AnnouncedOfferRepository,
    private readonly messages: PurchaseMessages,
  ) {}

  async status(check: CreditPackRequestStatusCheck): Promise<CreditPackPurchaseRequestStatus> {
    const requestHash = check.sha3_256_hash_of_credit_pack_purchase_request_fields;
    const known = (await this.purchases.find(requestHash)) ?? (await this.announced.ofRequest(requestHash))[0];
    if (!known) throw new Refusal('not-found', 'The purchase request is not known here');
    if (known.pastelId !== check.requesting_end_user_pastelid)
      throw new Refusal('forbidden', 'The purchase request is that of another PastelID');
    const status = statusOf({
      response: known.response !== null,
      confirmation: known.confirmation !== null,
      outcome: known.confirmationResponse?.credit_pack_confirmation_outcome_string,
    });
    return this.messages.status(requestHash, known.responseHash ?? '', status);
  }
}
