import type { Provider, Type } from '@nestjs/common';
import type { Entity } from '#database';
import { AgreedPrices } from '../ledger/agreed-prices.js';
import { AgreementService } from '../peers/agreement.service.js';
import {
  AnnouncedOffer,
  AnnouncedStorageRetry,
  BrokenAgreementRow,
  PriceVote,
  StorageRetry,
} from '../peers/announced-offer.entity.js';
import { AnnouncedOfferRepository } from '../peers/announced-offer.repository.js';
import { AnnouncementService } from '../peers/announcement.service.js';
import { ConfirmationService } from './confirmation.service.js';
import { AskedMarketPrice, MarketPages, MarketPrice } from '../market/market-price.js';
import { OfferService } from './offer.service.js';
import { OfferTerms } from './offer-terms.service.js';
import { OutgoingAnnouncement } from './outbox.entity.js';
import { OutboxRepository } from './outbox.repository.js';
import { Outbox } from './outbox.service.js';
import { PaymentService } from './payment.service.js';
import { PurchaseController } from './purchase.controller.js';
import { Purchase, RefusedRequest } from './purchase.entity.js';
import { PurchaseMessages } from './purchase-messages.js';
import { Electorate } from '../peers/electorate.service.js';
import { HttpPurchasePeers, PurchasePeers } from '../peers/purchase-peers.js';
import { PurchasePeersController } from '../peers/purchase-peers.controller.js';
import { PurchaseRepository } from './purchase.repository.js';
import { PurchaseScheduler } from './purchase.scheduler.js';
import { PurchaseSweep } from './purchase-sweep.service.js';
import { QuoteService } from './quote.service.js';
import { RememberedPrices } from '../peers/remembered-prices.service.js';
import { RegistrationService } from './registration.service.js';
import { SettlementService } from './settlement.service.js';
import { StatusService } from './status.service.js';
import { StorageRetryJob } from './storage-retry-job.service.js';
import { StorageRetryService } from './storage-retry.service.js';
import { VoteCollection } from '../peers/vote-collection.service.js';
import { VoteService } from '../peers/vote.service.js';
import { Waiting } from './waiting.service.js';

/** The sale of packs: what the module is made of beside the ledger. */
export const purchaseEntities: readonly Entity[] = [
  Purchase,
  RefusedRequest,
  AnnouncedOffer,
  PriceVote,
  StorageRetry,
  AnnouncedStorageRetry,
  BrokenAgreementRow,
  OutgoingAnnouncement,
];
export const purchaseControllers: Type[] = [PurchaseController, PurchasePeersController];
export const purchaseProviders: Provider[] = [
  PurchaseRepository,
  AnnouncedOfferRepository,
  OutboxRepository,
  MarketPages,
  { provide: MarketPrice, useClass: AskedMarketPrice },
  { provide: PurchasePeers, useClass: HttpPurchasePeers },
  { provide: AgreedPrices, useClass: RememberedPrices },
  PurchaseMessages,
  OfferTerms,
  Outbox,
  Electorate,
  VoteCollection,
  QuoteService,
  OfferService,
  AgreementService,
  PaymentService,
  RegistrationService,
  SettlementService,
  Waiting,
  ConfirmationService,
  StatusService,
  StorageRetryJob,
  StorageRetryService,
  VoteService,
  AnnouncementService,
  PurchaseSweep,
  PurchaseScheduler,
];
