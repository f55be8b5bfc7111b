import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { Leadership } from '#database';
import { Clock } from '#protocol';
import { PurchaseSweep } from './purchase-sweep.service.js';

@Injectable()
export class PurchaseScheduler {
  constructor(
    private readonly purchases: PurchaseSweep,
    private readonly leadership: Leadership,
    private readonly clock: Clock,
  ) {}

  @Cron('*/10 * * * * *', { waitForCompletion: true })
  tick(): Promise<void> {
    return this.leadership.whileOurs(() => this.purchases.sweep(this.clock.now()));
  }
}
