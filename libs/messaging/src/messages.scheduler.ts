import { Injectable } from '@nestjs/common';
import { Cron, CronExpression, Interval } from '@nestjs/schedule';
import { Clock } from '#protocol';
import { InboxService } from './inbox.service.js';
import { RetentionService } from './retention.service.js';
import { UserMessageRelays } from './user-message.relay.js';

@Injectable()
export class MessagesScheduler {
  constructor(
    private readonly clock: Clock,
    private readonly inbox: InboxService,
    private readonly relays: UserMessageRelays,
    private readonly retention: RetentionService,
  ) {}

  @Interval(1000) async takeIn(): Promise<void> {
    await this.inbox.sweepWhenDue(this.clock.now());
  }
  @Interval(5000) async relay(): Promise<void> {
    await this.relays.sweep(this.clock.now());
  }
  @Cron(CronExpression.EVERY_10_MINUTES) async purge(): Promise<void> {
    await this.retention.sweep(this.clock.now());
  }
}
