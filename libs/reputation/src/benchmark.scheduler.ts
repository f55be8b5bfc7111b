import { Injectable } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { Leadership } from '#database';
import { Clock } from '#protocol';
import { BenchmarkService } from './benchmark.service.js';

@Injectable()
export class BenchmarkScheduler {
  constructor(
    private readonly benchmark: BenchmarkService,
    private readonly leadership: Leadership,
    private readonly clock: Clock,
  ) {}

  @Cron(CronExpression.EVERY_MINUTE, { waitForCompletion: true })
  tick(): Promise<void> {
    return this.leadership.whileOurs(() => this.benchmark.sweep(this.clock.now()));
  }
}
