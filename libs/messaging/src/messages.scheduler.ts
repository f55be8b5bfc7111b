import { Injectable } from '@nestjs/common';
import { Cron, CronExpression, Interval } from '@nestjs/schedule';
import { Leadership } from '#database';
import { Clock } from '#protocol';
import { InboxService } from './inbox.service.js';
import { RetentionService } from './retention.service.js';
import { UserMessageRelays } from './user-message.relay.js';

@Injectable()
export class MessagesScheduler {
  constructor(
    private readonly clock: Clock,
    private readonly leadership: Leadership,
    private readonly inbox: InboxService,
    private readonly relays: UserMessageRelays,
    private readonly retention: RetentionService,
  ) {}

  /** pasteld's inbox is one for all processes; so are the debts to handlers that come of it. */
  @Interval(1000) takeIn(): Promise<void> {
    return this.leadership.whileOurs(() => this.inbox.sweepWhenDue(this.clock.now()));
  }
  /** In every process: each relay is claimed. */
  @Interval(5000) async relay(): Promise<void> {
    await this.relays.sweep(this.clock.now());
  }
  @Cron(CronExpression.EVERY_10_MINUTES) purge(): Promise<void> {
    return this.leadership.whileOurs(() => this.retention.sweep(this.clock.now()));
  }
}
