import { Module } from '@nestjs/common';
import { CreditPackModule } from '#credit-pack';
import { MessagingModule } from '#messaging';
import { CompletedRequests } from '#reputation';
import { AdmissionService } from './admission.service.js';
import { AnnouncedCopiesRepository } from './announced-copies.repository.js';
import { AnnouncementReceiver } from './announcement-receiver.service.js';
import { AnnouncementService } from './announcement.service.js';
import { KnownCompletedRequests } from './completed-requests.service.js';
import { ConfirmationService } from './confirmation.service.js';
import { DownloadsController } from './downloads.controller.js';
import { Downloads } from './downloads.service.js';
import { EarlyEndpointsController } from './early-endpoints.controller.js';
import { EarlyEndpoints } from './early-endpoints.service.js';
import { ExecutionService } from './execution.service.js';
import { HandedInResults } from './handed-in-results.service.js';
import { InferenceMessages } from './inference-messages.service.js';
import { InferenceController } from './inference.controller.js';
import { InferenceRepository } from './inference.repository.js';
import { InferenceSweeps } from './inference-sweeps.service.js';
import { InferenceScheduler } from './inference.scheduler.js';
import { ModelCatalog } from './model-catalog.service.js';
import { OwedAnnouncementsRepository } from './owed-announcements.repository.js';
import { PricingService } from './pricing.service.js';
import { ProviderRunner } from './provider-runner.service.js';
import { Providers } from './providers.service.js';
import { QuoteService } from './quote.service.js';
import { Reconciliation } from './reconciliation.service.js';
import { ResultService } from './result.service.js';
import { RetentionService } from './retention.service.js';

/** Quotes, burns, runs and results. The scheduler needs `ScheduleModule.forRoot()` at the root. */
@Module({
  imports: [CreditPackModule, MessagingModule],
  controllers: [InferenceController, EarlyEndpointsController, DownloadsController],
  providers: [
    Providers,
    ModelCatalog,
    PricingService,
    AdmissionService,
    InferenceMessages,
    InferenceRepository,
    OwedAnnouncementsRepository,
    AnnouncedCopiesRepository,
    QuoteService,
    ConfirmationService,
    ProviderRunner,
    ExecutionService,
    ResultService,
    AnnouncementService,
    AnnouncementReceiver,
    RetentionService,
    EarlyEndpoints,
    HandedInResults,
    Downloads,
    { provide: CompletedRequests, useClass: KnownCompletedRequests },
    Reconciliation,
    InferenceSweeps,
    InferenceScheduler,
  ],
  exports: [ModelCatalog, ResultService, InferenceSweeps, CompletedRequests, Downloads, Reconciliation],
})
export class InferenceModule {}
