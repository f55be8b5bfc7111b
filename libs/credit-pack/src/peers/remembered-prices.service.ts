import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Checking, Signing, type CreditPackPurchaseRequestResponse } from '#protocol';
import { AgreedPrices, type BrokenAgreement } from '../ledger/agreed-prices.js';
import { requestSignatureOf } from './agreement.rules.js';
import { AnnouncedOfferRepository } from './announced-offer.repository.js';

/**
 * Compares tickets with what this node voted for. A voter's signature in a ticket covers credits and address, not the price, so only the
 * voter can tell that a seller wrote another price beside it (credit-packs spec 5.11.4, W4). The verdict on the ticket stays what the
 * chain says, the same on every node; the operator is told who cheated.
 */
@Injectable()
export class RememberedPrices extends AgreedPrices {
  private readonly logger = new Logger(RememberedPrices.name);

  constructor(
    private readonly announced: AnnouncedOfferRepository,
    private readonly signing: Signing,
    private readonly checking: Checking,
  ) {
    super();
  }

  async brokenBy(response: CreditPackPurchaseRequestResponse): Promise<BrokenAgreement | undefined> {
    const { credit_pack_purchase_request_fields_json_b64: request, psl_cost_per_credit: price } = response;
    if (!(await this.isSignedHere(response))) return undefined;
    const votes = await this.announced.votesFor(response.credit_usage_tracking_psl_address);
    const agreed = votes.filter(
      ({ vote }) => vote.agree_with_proposed_price && vote.credit_pack_purchase_request_fields_json_b64 === request,
    );
    const prices = agreed.map(({ vote }) => vote.proposed_psl_price_per_credit);
    if (prices.length === 0 || prices.some(({ value }) => value === price.value)) return undefined;
    return {
      requestHash: response.sha3_256_hash_of_credit_pack_purchase_request_fields,
      sellerPastelId: response.responding_supernode_pastelid,
      ticketPrice: price.text,
      agreedPrices: prices.map(({ text }) => text),
    };
  }

  async note(manager: EntityManager, registrationTxid: string, broken: BrokenAgreement, now: Date): Promise<void> {
    if (!(await this.announced.addBrokenAgreement(manager, registrationTxid, broken, now.getTime()))) return;
    const { sellerPastelId, ticketPrice, agreedPrices } = broken;
    this.logger.error(
      `Supernode ${sellerPastelId} registered the ticket ${registrationTxid} at ${ticketPrice} PSL for a credit beside this node's ` +
        `signature; this node agreed to ${agreedPrices.join(', ')}`,
    );
  }

  private async isSignedHere(response: CreditPackPurchaseRequestResponse): Promise<boolean> {
    const { pastelId } = this.signing;
    const signature = requestSignatureOf(response, pastelId);
    if (signature === undefined) return false;
    return this.checking.verify(pastelId, response.credit_pack_purchase_request_fields_json_b64, signature);
  }
}
