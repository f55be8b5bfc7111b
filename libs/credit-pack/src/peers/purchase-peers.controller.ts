import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Exchange, Incoming } from '#http';
import {
  CreditPackPurchasePriceAgreementRequest,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestConfirmationResponse,
  CreditPackPurchaseRequestResponse,
  CreditPackStorageRetryRequestResponse,
  exchanges,
} from '#protocol';
import { AnnouncementService } from './announcement.service.js';
import { VoteService } from './vote.service.js';

/** What supernodes, and buyers, tell the supernodes that voted on a purchase (credit-packs spec 3.2). */
@ApiTags('credit packs between supernodes')
@Controller()
export class PurchasePeersController {
  constructor(
    private readonly votes: VoteService,
    private readonly announcements: AnnouncementService,
  ) {}

  @Exchange(exchanges.priceAgreement, { summary: 'Ask a supernode whether a price is fair; for supernodes' })
  vote(@Incoming('credit_pack_price_agreement_request') question: CreditPackPurchasePriceAgreementRequest) {
    return this.votes.vote(question);
  }

  @Exchange(exchanges.responseAnnouncement, { summary: 'Announce a binding offer; for supernodes' })
  offer(@Incoming('response') response: CreditPackPurchaseRequestResponse) {
    return this.announcements.offer(response);
  }

  @Exchange(exchanges.confirmationAnnouncement, {
    summary: 'Announce a confirmation, so that its ticket can be stored by another',
  })
  confirmation(@Incoming('confirmation') confirmation: CreditPackPurchaseRequestConfirmation) {
    return this.announcements.confirmation(confirmation);
  }

  @Exchange(exchanges.storageAnnouncement, { summary: 'Announce that a ticket is registered; for supernodes' })
  completion(@Incoming('storage_completion_announcement') completion: CreditPackPurchaseRequestConfirmationResponse) {
    return this.announcements.completion(completion);
  }

  @Exchange(exchanges.storageRetryAnnouncement, {
    summary: 'Announce that a ticket was stored for another supernode; for supernodes',
  })
  storageRetry(@Incoming('response') answer: CreditPackStorageRetryRequestResponse) {
    return this.announcements.storageRetry(answer);
  }
}
