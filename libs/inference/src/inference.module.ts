import { Module } from '@nestjs/common';
import { CreditPackModule } from '#credit-pack';
import { MessagingModule } from '#messaging';
import { CompletedRequests } from '#reputation';
import { AdmissionService } from './quote/admission.service.js';
import { AnnouncedCopiesRepository } from './announcements/announced-copies.repository.js';
import { AnnouncementReceiver } from './announcements/announcement-receiver.service.js';
import { AnnouncementService } from './announcements/announcement.service.js';
import { KnownCompletedRequests } from './results/completed-requests.service.js';
import { ConfirmationService } from './payment/confirmation.service.js';
import { DownloadReaders } from './execution/download-readers.js';
import { DownloadsController } from './execution/downloads.controller.js';
import { Downloads } from './execution/downloads.service.js';
import { DryRunController } from './quote/dry-run.controller.js';
import { DryRunService } from './quote/dry-run.service.js';
import { EarlyEndpointsController } from './early/early-endpoints.controller.js';
import { EarlyEndpoints } from './early/early-endpoints.service.js';
import { ExecutionService } from './execution/execution.service.js';
import { HandedInResults } from './results/handed-in-results.service.js';
import { InferenceMessages } from './inference-messages.service.js';
import { InferenceController } from './inference.controller.js';
import { InferenceRepository } from './inference.repository.js';
import { InferenceSweeps } from './inference-sweeps.service.js';
import { InferenceScheduler } from './inference.scheduler.js';
import { ModelCatalog } from './menu/model-catalog.service.js';
import { ModelMenu } from './menu/model-menu.service.js';
import { ProviderHealth } from './menu/provider-health.service.js';
import { ProvidersController } from './menu/providers.controller.js';
import { OwedAnnouncementsRepository } from './announcements/owed-announcements.repository.js';
import { PricingService } from './quote/pricing.service.js';
import { CreditNotesController } from './credit-notes/credit-notes.controller.js';
import { CreditNotesRepository } from './credit-notes/credit-notes.repository.js';
import { RedemptionService } from './credit-notes/redemption.service.js';
import { RequestFunds } from './credit-notes/request-funds.service.js';
import { AttemptService } from './execution/attempt.service.js';
import { ProviderGate } from './execution/provider-gate.js';
import { ProviderRunner } from './execution/provider-runner.service.js';
import { Outgoing } from './execution/outgoing/outgoing.service.js';
import { Providers } from './execution/providers.service.js';
import { QuoteService } from './quote/quote.service.js';
import { BooksCheck } from './books/books-check.service.js';
import { Reconciliation } from './books/reconciliation.service.js';
import { ResultService } from './results/result.service.js';
import { RetentionService } from './results/retention.service.js';

/** Quotes, burns, runs and results. The scheduler needs `ScheduleModule.forRoot()` at the root. */
@Module({
  imports: [CreditPackModule, MessagingModule],
  controllers: [
    InferenceController,
    DryRunController,
    CreditNotesController,
    EarlyEndpointsController,
    DownloadsController,
    ProvidersController,
  ],
  providers: [
    Outgoing,
    DownloadReaders,
    Downloads,
    Providers,
    ProviderHealth,
    ModelMenu,
    ModelCatalog,
    PricingService,
    DryRunService,
    AdmissionService,
    InferenceMessages,
    InferenceRepository,
    CreditNotesRepository,
    RequestFunds,
    RedemptionService,
    OwedAnnouncementsRepository,
    AnnouncedCopiesRepository,
    QuoteService,
    ConfirmationService,
    ProviderRunner,
    ProviderGate,
    AttemptService,
    ExecutionService,
    ResultService,
    AnnouncementService,
    AnnouncementReceiver,
    RetentionService,
    EarlyEndpoints,
    HandedInResults,
    { provide: CompletedRequests, useClass: KnownCompletedRequests },
    Reconciliation,
    BooksCheck,
    InferenceSweeps,
    InferenceScheduler,
  ],
  exports: [ModelCatalog, ResultService, InferenceSweeps, CompletedRequests, Outgoing, Reconciliation],
})
export class InferenceModule {}
