import { Injectable, Logger } from '@nestjs/common';
import { inParallel } from '#protocol';
import { AnnouncedOfferRepository } from '../peers/announced-offer.repository.js';
import { Outbox } from './outbox.service.js';
import { PurchaseMessages } from './purchase-messages.js';
import { PurchaseRepository } from './purchase.repository.js';
import { SettlementService } from './settlement.service.js';
import { StorageRetryJob } from './storage-retry-job.service.js';
import { SingleFlight } from '../single-flight.js';

const BATCH = 50;
const AT_ONCE = 4;
/** What came to nothing, and what peers announced, is kept so long. */
const KEPT_MS = 30 * 86_400_000;
/** A seller may register a ticket long after the vote; so long it is compared with the price that was agreed to. */
const VOTES_KEPT_MS = 400 * 86_400_000;
/** So long, and so often, a completed purchase is looked after: its ticket may leave the chain again. */
const WATCHED_MS = 86_400_000;
const WATCH_EVERY_MS = 60_000;

/**
 * Goes on with what no message drives: purchases that were confirmed, offers that lapse, announcements that are owed.
 * Any number of runs, at any time, on any number of nodes, do no harm.
 */
@Injectable()
export class PurchaseSweep {
  private readonly logger = new Logger(PurchaseSweep.name);
  private readonly flights = new SingleFlight<void>();

  constructor(
    private readonly purchases: PurchaseRepository,
    private readonly announced: AnnouncedOfferRepository,
    private readonly messages: PurchaseMessages,
    private readonly settlement: SettlementService,
    private readonly retries: StorageRetryJob,
    private readonly outbox: Outbox,
  ) {}

  sweep(now: Date): Promise<void> {
    return this.flights.run('sweep', async () => {
      await this.attempt('outbox', () => this.outbox.deliver(now));
      await this.attempt('expiry', () => this.expire(now.getTime()));
      await this.attempt('settlement', () => this.settle());
      await this.attempt('completed purchases', () => this.watch(now.getTime()));
      await this.attempt('purge', () => this.purge(now.getTime()));
    });
  }

  private async expire(now: number): Promise<void> {
    for (const purchase of await this.purchases.expired(now, BATCH))
      await this.purchases.move(purchase, 'lapsed', { touchedAt: now });
    const tip = await this.messages.height();
    for (const purchase of await this.purchases.pastBurnWindow(tip, BATCH))
      await this.purchases.move(purchase, 'overdue', { touchedAt: now });
  }

  private async settle(): Promise<void> {
    const purchases = await this.purchases.longestUntouchedInProgress(BATCH);
    await inParallel(purchases, AT_ONCE, async ({ requestHash }) => {
      await this.attempt(`purchase ${requestHash}`, async () => {
        const purchase = await this.settlement.advance(requestHash);
        // To the end of the queue, so that no purchase keeps another from its turn. A pause after trouble is not prolonged.
        if (purchase && purchase.trouble === null)
          await this.purchases.note(purchase, { touchedAt: this.messages.now.getTime() });
      });
    });
    for (const { retryHash } of await this.announced.openStorageRetries(BATCH))
      await this.attempt(`storage retry ${retryHash}`, () => this.retries.advance(retryHash));
  }

  private async watch(now: number): Promise<void> {
    const purchases = await this.purchases.completedSince(now - WATCHED_MS, now - WATCH_EVERY_MS, BATCH);
    for (const purchase of purchases)
      await this.attempt(`purchase ${purchase.requestHash}`, () => this.settlement.restore(purchase));
  }

  private async purge(now: number): Promise<void> {
    await this.purchases.purge(now - KEPT_MS, BATCH);
    await this.announced.purge(now - KEPT_MS, now - VOTES_KEPT_MS);
  }

  private async attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn(`Sweep of ${what}: ${(error as Error).message}`);
    }
  }
}
