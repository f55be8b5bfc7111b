import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Clock } from '#protocol';
import { AnnouncementService } from './announcement.service.js';
import { ConfirmationService } from './confirmation.service.js';
import { ExecutionService } from './execution.service.js';
import { ModelCatalog } from './model-catalog.service.js';
import { RetentionService } from './retention.service.js';

@Injectable()
export class InferenceScheduler {
  constructor(
    private readonly clock: Clock,
    private readonly confirmations: ConfirmationService,
    private readonly executions: ExecutionService,
    private readonly announcements: AnnouncementService,
    private readonly catalog: ModelCatalog,
    private readonly retention: RetentionService,
  ) {}

  @Interval(1000) async execute(): Promise<void> {
    await this.executions.sweep(this.clock.now());
  }
  @Interval(1000) async announce(): Promise<void> {
    await this.announcements.sweep(this.clock.now());
  }
  @Interval(1000) async lookForBurns(): Promise<void> {
    await this.confirmations.sweep(this.clock.now());
  }
  @Interval(15_000) async expire(): Promise<void> {
    await this.confirmations.expireUnpaid();
  }
  @Interval(10_000) async askProviders(): Promise<void> {
    await this.catalog.sweep(this.clock.now());
  }
  @Interval(600_000) async forget(): Promise<void> {
    await this.retention.sweep(this.clock.now());
  }
}
