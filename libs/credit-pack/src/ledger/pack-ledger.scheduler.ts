import { Injectable, Logger } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { ChainUnavailable } from '#chain';
import { Leadership } from '#database';
import { Clock } from '#protocol';
import { BurnIndex } from './burn-index.service.js';
import { TicketIndex } from './ticket-index.service.js';

/** Follows the chain. A tick that overruns is dropped: the next one goes on where it stopped. */
@Injectable()
export class PackLedgerScheduler {
  private readonly logger = new Logger(PackLedgerScheduler.name);
  constructor(
    private readonly tickets: TicketIndex,
    private readonly burns: BurnIndex,
    private readonly leadership: Leadership,
    private readonly clock: Clock,
  ) {}

  @Cron(CronExpression.EVERY_5_SECONDS, { waitForCompletion: true })
  followTickets(): Promise<void> {
    return this.leadership.whileOurs(() => this.unlessUnavailable(this.tickets.sweep(this.clock.now())));
  }

  @Cron(CronExpression.EVERY_10_SECONDS, { waitForCompletion: true })
  followBurns(): Promise<void> {
    return this.leadership.whileOurs(() => this.unlessUnavailable(this.burns.sweep(this.clock.now())));
  }

  private async unlessUnavailable(sweep: Promise<unknown>): Promise<void> {
    try {
      await sweep;
    } catch (error) {
      if (error instanceof ChainUnavailable) this.logger.warn(error.message);
      else this.logger.error(error);
    }
  }
}
