import { Injectable } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { Leadership } from '#database';
import { Clock } from '#protocol';
import { ChallengeService } from './challenge.service.js';

@Injectable()
export class ChallengeScheduler {
  constructor(
    private readonly challenges: ChallengeService,
    private readonly leadership: Leadership,
    private readonly clock: Clock,
  ) {}

  @Cron(CronExpression.EVERY_10_SECONDS, { waitForCompletion: true })
  sweepExpired(): Promise<void> {
    return this.leadership.whileOurs(() => this.challenges.sweep(this.clock.now()));
  }
}
