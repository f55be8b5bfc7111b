import { Injectable } from '@nestjs/common';
import { PurchaseSettings } from '#config';
import { Freshness } from '#http';
import { Refusal, type CreditPackStorageRetryRequest, type CreditPackStorageRetryRequestResponse } from '#protocol';
import { AnnouncedOfferRepository } from '../peers/announced-offer.repository.js';
import { PurchaseMessages } from './purchase-messages.js';
import { storageRetryFaults } from './storage-retry.rules.js';
import { StorageRetryJob } from './storage-retry-job.service.js';
import { Waiting } from './waiting.service.js';

/**
 * Stores a ticket in the place of the supernode that sold it (credit-packs spec 5.8).
 * 1. The same request again waits for the same answer, or gets it.
 * 2. The offer and its confirmation must have been announced here; neither travels with the request.
 * 3. Only the agreeing supernode that is closest to the buyer does it, and only some blocks after the confirmation.
 * 4. The rest is that of any registration, so a ticket that stands already is found by its key.
 */
@Injectable()
export class StorageRetryService {
  constructor(
    private readonly announced: AnnouncedOfferRepository,
    private readonly messages: PurchaseMessages,
    private readonly freshness: Freshness,
    private readonly job: StorageRetryJob,
    private readonly waiting: Waiting,
    private readonly settings: PurchaseSettings,
  ) {}

  async retry(retry: CreditPackStorageRetryRequest): Promise<CreditPackStorageRetryRequestResponse> {
    const retryHash = retry.sha3_256_hash_of_credit_pack_storage_retry_request_fields;
    if (!(await this.announced.storageRetry(retryHash))) await this.begin(retryHash, retry);
    return this.waiting.until(retryHash, () => this.job.advance(retryHash));
  }

  private async begin(retryHash: string, retry: CreditPackStorageRetryRequest): Promise<void> {
    const responseHash = retry.sha3_256_hash_of_credit_pack_purchase_request_response_fields;
    const offer = await this.announced.find(responseHash);
    if (!offer?.confirmation)
      throw new Refusal('not-found', 'The offer and its confirmation were not announced to this supernode');
    const here = {
      pastelId: this.messages.pastelId,
      height: await this.messages.height(),
      blocksMin: this.settings.storageRetryBlocks,
    };
    const faults = [
      ...(await this.freshness.faultsOf(retry)),
      ...storageRetryFaults(retry, offer.response, offer.confirmation, here),
    ];
    if (faults.length > 0) throw new Refusal('bad-request', `Invalid storage retry request: ${faults.join(', ')}`);
    const createdAt = this.messages.now.getTime();
    await this.announced.addStorageRetry({ retryHash, responseHash, createdAt, retry, answer: null, registrationTxid: null });
  }
}
