import { Injectable } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { Clock } from '#protocol';
import { ChallengeService } from './challenge.service.js';

@Injectable()
export class ChallengeScheduler {
  constructor(
    private readonly challenges: ChallengeService,
    private readonly clock: Clock,
  ) {}

  @Cron(CronExpression.EVERY_10_SECONDS, { waitForCompletion: true })
  async sweepExpired(): Promise<void> {
    await this.challenges.sweep(this.clock.now());
  }
}
