import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Clock, Entropy } from '#protocol';
import type { Lease } from './lease.entity.js';
import { LeaseRepository } from './lease.repository.js';
import { LeaseWatch } from './lease-watch.js';
import { Transactions } from './transactions.js';

const NAME = 'scheduled work';
/** So long a process may lead after it was last confirmed; so long the others wait for a sign of it. */
export const LEASE_MS = 15_000;
export const CAMPAIGN_EVERY_MS = 5000;

/**
 * Which of the processes that share a database does the scheduled work. It is a matter of order, not of safety: all scheduled work is
 * idempotent and decided by conditional statements, so that two leaders for a moment do no harm.
 *
 * 1. Whoever leads renews its lease, again and again; each renewal changes the row.
 * 2. The others watch the row. Where it did not change for the length of a lease, by their own clock, they take it, and one succeeds.
 * 3. A leader that could not renew for that long stops to lead, by its own clock, before another can take over.
 * 4. A process that stops gives its lease back, and another one takes it at its next look.
 *
 * No clock is compared with another one, and nobody's count is changed by setting a clock: each process counts what passes for itself.
 */
@Injectable()
export class Leadership implements OnModuleDestroy {
  private readonly logger = new Logger(Leadership.name);
  private readonly holder: string;
  private confirmedAtMs: number | undefined;
  private readonly watch = new LeaseWatch<Lease>(
    ({ name }) => name,
    ({ fence, expires_at_ms }) => `${fence} ${expires_at_ms}`,
  );
  private campaigning: Promise<void> | undefined;
  private isOver = false;

  constructor(
    private readonly leases: LeaseRepository,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    entropy: Entropy,
  ) {
    this.holder = entropy.uuid();
  }

  get isOurs(): boolean {
    if (this.isOver || this.confirmedAtMs === undefined) return false;
    return this.clock.monotonicMs() - this.confirmedAtMs < LEASE_MS;
  }

  /** Does the work where this process leads. */
  async whileOurs(work: () => Promise<unknown>): Promise<void> {
    if (this.isOurs) await work();
  }

  /** Renews the lease, or takes it where it is free. One at a time; trouble with the database costs the lead, no more. */
  campaign(): Promise<void> {
    return (this.campaigning ??= this.attempt().finally(() => (this.campaigning = undefined)));
  }

  /** Leads no more, and lets another process lead at once. */
  async resign(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    await this.campaigning;
    if (this.confirmedAtMs === undefined) return;
    try {
      await this.leases.giveBack(NAME, this.holder);
    } catch (error) {
      this.logger.warn(`The lease could not be given back, and will lapse: ${(error as Error).message}`);
    }
  }
  onModuleDestroy(): Promise<void> {
    return this.resign();
  }

  private async attempt(): Promise<void> {
    if (this.isOver) return;
    const wasOurs = this.isOurs;
    const askedAtMs = this.clock.monotonicMs();
    try {
      this.confirmedAtMs = (await this.isWon(askedAtMs)) ? askedAtMs : undefined;
    } catch (error) {
      this.logger.warn(`Who does the scheduled work is not known: ${(error as Error).message}`);
      return;
    }
    if (wasOurs !== (this.confirmedAtMs !== undefined))
      this.logger.log(wasOurs ? 'Another process does the scheduled work now' : 'This process does the scheduled work');
  }

  private async isWon(passedMs: number): Promise<boolean> {
    const untilMs = this.clock.now().getTime() + LEASE_MS;
    if (this.confirmedAtMs !== undefined && (await this.leases.renew(NAME, this.holder, untilMs))) return true;
    const lease = await this.leases.find(NAME);
    if (!lease) return this.leases.make({ name: NAME, holder: this.holder, fence: 1, expires_at_ms: untilMs });
    if (!this.isDead(lease, passedMs)) return false;
    return this.leases.take(lease, this.holder, untilMs);
  }

  private isDead(lease: Lease, passedMs: number): boolean {
    // A SQLite file has one process, and that is this one: the holder is gone.
    if (lease.holder === null || this.transactions.isAlone) return true;
    return this.watch.unchanged([lease], passedMs, LEASE_MS).length > 0;
  }
}
