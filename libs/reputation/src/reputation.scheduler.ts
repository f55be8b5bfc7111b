import { Injectable } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { Leadership } from '#database';
import { Clock } from '#protocol';
import { MeasuredPeerHealth } from './peer-health.js';

@Injectable()
export class ReputationScheduler {
  constructor(
    private readonly health: MeasuredPeerHealth,
    private readonly leadership: Leadership,
    private readonly clock: Clock,
  ) {}

  /** Asks the peers when their time has come, which is less often. */
  @Cron(CronExpression.EVERY_30_SECONDS, { waitForCompletion: true })
  tick(): Promise<void> {
    return this.leadership.whileOurs(() => this.health.sweep(this.clock.now()));
  }
}
