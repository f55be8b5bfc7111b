import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { MessagingSettings } from '#config';
import { Transactions } from '#database';
import { CountersRepository } from './counters.repository.js';
import { obsoleteBefore } from './inbox.rules.js';
import { RetentionRepository } from './retention.repository.js';
import { SingleFlight } from './single-flight.js';

const BATCH_ROWS_MAX = 500;
/** A sweep that finds more than this leaves the rest to the next one. */
const BATCHES_MAX = 100;

/**
 * Deletes what is obsolete, in batches that do not hold up other writers. The counters stay: they say what was ever taken in.
 *
 * 1. Write down how far the purge reaches. pasteld offers its whole inbox for ever: what was purged must not come back in as new.
 * 2. Delete messages, and notes on rejected and deferred ones, by the time that pasteld gives them.
 * 3. Delete what handlers and relays gave up on, and user messages past their own, longer time.
 */
@Injectable()
export class RetentionService implements OnModuleDestroy {
  private readonly logger = new Logger(RetentionService.name);
  private readonly flight = new SingleFlight<number>();
  constructor(
    private readonly transactions: Transactions,
    private readonly counters: CountersRepository,
    private readonly rows: RetentionRepository,
    private readonly settings: MessagingSettings,
  ) {}

  /** How many rows were deleted. One sweep at a time. */
  sweep(now: Date): Promise<number> {
    return this.flight.run(() => this.run(now));
  }
  onModuleDestroy(): Promise<void> {
    return this.flight.close();
  }

  private async run(now: Date): Promise<number> {
    // 1
    const before = obsoleteBefore(now, this.settings.obsoleteAfterDays);
    await this.transactions.run('message retention: limit stored', (manager) =>
      this.counters.markPurgedBefore(manager, before, now),
    );
    // 2, 3
    const usersBefore = obsoleteBefore(now, this.settings.userMessagesKeptDays);
    const purges = [
      (limit: number) => this.rows.messagesBefore(before, limit),
      (limit: number) => this.rows.rejectedBefore(before, limit),
      (limit: number) => this.rows.deferredBefore(before, limit),
      (limit: number) => this.rows.dispatchesGivenUpBefore(before, limit),
      (limit: number) => this.rows.relaysGivenUpBefore(before, limit),
      (limit: number) => this.rows.userMessagesBefore(usersBefore, limit),
    ];
    let deleted = 0;
    let batches = 0;
    for (const purge of purges) {
      let rows = BATCH_ROWS_MAX;
      while (rows === BATCH_ROWS_MAX && batches++ < BATCHES_MAX && !this.flight.isClosing)
        deleted += rows = await purge(BATCH_ROWS_MAX);
    }
    if (deleted > 0) this.logger.log(`Purged ${deleted} obsolete rows`);
    return deleted;
  }
}
