import { Injectable, Logger } from '@nestjs/common';
import { composeTicket, type CreditPackStorageRetryRequestResponse } from '#protocol';
import type { AnnouncedOffer, StorageRetry } from '../peers/announced-offer.entity.js';
import { AnnouncedOfferRepository } from '../peers/announced-offer.repository.js';
import { Outbox } from './outbox.service.js';
import { PaymentService } from './payment.service.js';
import { PurchaseMessages, type Outcome } from './purchase-messages.js';
import { RegistrationService } from './registration.service.js';
import { NOT_CONFIRMED } from './settlement.service.js';
import { SingleFlight } from '../single-flight.js';
import { ALREADY_STORED, NO_REASON } from './storage-retry.rules.js';

type Answer = CreditPackStorageRetryRequestResponse;

/** Carries a storage retry on; any number of calls register one ticket. Throws ChainUnavailable, and then nothing is lost. */
@Injectable()
export class StorageRetryJob {
  private readonly logger = new Logger(StorageRetryJob.name);
  private readonly flights = new SingleFlight<Answer | undefined>();

  constructor(
    private readonly announced: AnnouncedOfferRepository,
    private readonly messages: PurchaseMessages,
    private readonly payment: PaymentService,
    private readonly registration: RegistrationService,
    private readonly outbox: Outbox,
  ) {}

  /** The answer, once there is one. */
  advance(retryHash: string): Promise<Answer | undefined> {
    return this.flights.run(retryHash, async () => {
      const retry = await this.announced.storageRetry(retryHash);
      if (!retry || retry.answer) return retry?.answer ?? undefined;
      const offer = await this.announced.find(retry.responseHash);
      if (!offer?.confirmation) return undefined;
      const outcome = await this.outcomeOf(retry, offer);
      return outcome && this.answer(retry, offer, outcome);
    });
  }

  private async outcomeOf(retry: StorageRetry, offer: AnnouncedOffer): Promise<Outcome | undefined> {
    const [response, confirmation] = [offer.response, offer.confirmation!];
    const { fullyParsedHash } = composeTicket(response, confirmation);
    let registration = await this.registration.find(fullyParsedHash, retry.registrationTxid);
    // The seller's word alone is not enough: it has the burn, and might claim a ticket that is nowhere.
    const isClaimed = offer.confirmationResponse?.credit_pack_confirmation_outcome_string === 'success';
    if (isClaimed && registration?.state === 'mined' && registration.txid !== retry.registrationTxid)
      return { outcome: 'failure', registrationTxid: registration.txid, reason: ALREADY_STORED };
    if (!registration) {
      const verdict = await this.payment.judge(response, confirmation);
      if (verdict.verdict === 'unseen' || verdict.verdict === 'waiting') return undefined;
      if (verdict.verdict !== 'good') {
        const reason = verdict.verdict === 'late' ? NOT_CONFIRMED : verdict.reason;
        return { outcome: 'failure', registrationTxid: '', reason };
      }
      registration = await this.registration.register(response, confirmation, retry.registrationTxid);
    }
    switch (registration.state) {
      case 'refused':
        this.logger.warn(`Storage retry ${retry.retryHash} waits: ${registration.reason}`);
        return undefined;
      case 'busy':
        return undefined;
      case 'waiting':
        if (registration.txid !== retry.registrationTxid)
          await this.announced.noteRegistration(retry.retryHash, registration.txid);
        return undefined;
      case 'void':
        return { outcome: 'failure', registrationTxid: '', reason: registration.reason };
      case 'mined': {
        const outcome = registration.isSame ? 'success' : 'failed';
        return { outcome, registrationTxid: registration.txid, reason: NO_REASON };
      }
    }
  }

  private async answer(retry: StorageRetry, offer: AnnouncedOffer, outcome: Outcome): Promise<Answer | undefined> {
    const answer = await this.messages.storageRetryResponse(offer.confirmation!, outcome);
    const { response } = offer;
    const recipients = [
      response.responding_supernode_pastelid,
      ...response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms,
    ].filter((pastelId) => pastelId !== this.messages.pastelId);
    const hash = answer.sha3_256_hash_of_credit_pack_storage_retry_confirmation_response_fields;
    const announcements =
      outcome.outcome === 'success' ? this.outbox.compose('storageRetryAnnouncement', answer, hash, recipients) : [];
    if (await this.announced.answerStorageRetry(retry.retryHash, answer, announcements)) {
      this.outbox.kick();
      return answer;
    }
    return (await this.announced.storageRetry(retry.retryHash))?.answer ?? undefined;
  }
}
