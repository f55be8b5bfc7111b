import { Injectable } from '@nestjs/common';
import { AnnouncementService } from './announcements/announcement.service.js';
import { ConfirmationService } from './payment/confirmation.service.js';
import { ExecutionService } from './execution/execution.service.js';
import { ModelCatalog } from './menu/model-catalog.service.js';
import { RetentionService } from './results/retention.service.js';

/** Everything that goes on without anybody calling; each part may be called at any time, as often as one likes. */
@Injectable()
export class InferenceSweeps {
  constructor(
    readonly confirmations: ConfirmationService,
    readonly executions: ExecutionService,
    readonly announcements: AnnouncementService,
    readonly catalog: ModelCatalog,
    readonly retention: RetentionService,
  ) {}

  /** One round of all, in the order in which one thing leads to the next. */
  async sweep(now: Date): Promise<void> {
    await this.catalog.sweep(now);
    await this.confirmations.sweep(now);
    await this.confirmations.expireUnpaid();
    await this.executions.sweep(now);
    await this.announcements.sweep(now);
    await this.retention.sweep(now);
  }
}
