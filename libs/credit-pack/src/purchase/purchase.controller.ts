import { Controller, UseFilters } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Exchange, Incoming } from '#http';
import {
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
  CreditPackRequestStatusCheck,
  CreditPackStorageRetryRequest,
  exchanges,
} from '#protocol';
import { AgreementService } from '../peers/agreement.service.js';
import { ConfirmationService } from './confirmation.service.js';
import { QuoteService } from './quote.service.js';
import { SignedRejectionFilter } from './signed-rejection.filter.js';
import { StatusService } from './status.service.js';
import { StorageRetryService } from './storage-retry.service.js';

/** What a buyer sends (credit-packs spec 3.2). */
@ApiTags('credit packs')
@Controller()
export class PurchaseController {
  constructor(
    private readonly quotes: QuoteService,
    private readonly agreements: AgreementService,
    private readonly confirmations: ConfirmationService,
    private readonly statuses: StatusService,
    private readonly retries: StorageRetryService,
  ) {}

  @Exchange(exchanges.purchaseRequest, { summary: 'Ask for a credit pack; get a price quote or a signed rejection' })
  @UseFilters(SignedRejectionFilter)
  request(@Incoming('credit_pack_request') request: CreditPackPurchaseRequest) {
    return this.quotes.quote(request);
  }

  @Exchange(exchanges.quoteResponse, {
    summary: 'Accept the quote; get a binding offer, or a termination when the peers do not agree',
  })
  answer(@Incoming('preliminary_price_quote_response') answer: CreditPackPurchaseRequestPreliminaryPriceQuoteResponse) {
    return this.agreements.answer(answer);
  }

  @Exchange(exchanges.confirmation, {
    summary: 'Name the burn; held open until the ticket is on the chain, or the burn is too late',
  })
  confirm(@Incoming('confirmation') confirmation: CreditPackPurchaseRequestConfirmation) {
    return this.confirmations.confirm(confirmation);
  }

  @Exchange(exchanges.purchaseStatus, { summary: 'How far a purchase is' })
  status(@Incoming('credit_pack_request_status_check') check: CreditPackRequestStatusCheck) {
    return this.statuses.status(check);
  }

  @Exchange(exchanges.storageRetry, { summary: 'Have a paid ticket stored by another supernode than the one that sold it' })
  retry(@Incoming('request') retry: CreditPackStorageRetryRequest) {
    return this.retries.retry(retry);
  }
}
