import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Leadership } from '#database';
import { Lifecycle } from '#http';
import { Clock } from '#protocol';
import { BooksCheck } from './books/books-check.service.js';
import { InferenceSweeps } from './inference-sweeps.service.js';

/**
 * Of several processes each runs what it claims; what needs no second pair of hands is the leader's.
 *
 * While the process stops no further sweep begins; requests that run may come to their end, sweeps are waited for before the database closes.
 */
@Injectable()
export class InferenceScheduler implements BeforeApplicationShutdown {
  private readonly running = new Map<string, Promise<void>>();
  constructor(
    private readonly clock: Clock,
    private readonly sweeps: InferenceSweeps,
    private readonly lifecycle: Lifecycle,
    private readonly books: BooksCheck,
    private readonly leadership: Leadership,
  ) {
    lifecycle.waitFor(() => sweeps.executions.idle());
  }

  @Interval(1000) execute(): Promise<void> {
    return this.once('execute', (now) => this.sweeps.executions.sweep(now));
  }
  @Interval(1000) announce(): Promise<void> {
    return this.once('announce', (now) => this.sweeps.announcements.sweep(now));
  }
  @Interval(1000) lookForBurns(): Promise<void> {
    return this.once('look for burns', (now) => this.leadership.whileOurs(() => this.sweeps.confirmations.sweep(now)));
  }
  @Interval(15_000) expire(): Promise<void> {
    return this.once('expire', () => this.leadership.whileOurs(() => this.sweeps.confirmations.expireUnpaid()));
  }
  @Interval(10_000) askProviders(): Promise<void> {
    return this.once('ask providers', (now) => this.sweeps.catalog.sweep(now));
  }
  @Interval(3_600_000) checkBooks(): Promise<void> {
    return this.once('check the books', (now) => this.leadership.whileOurs(() => this.books.sweep(now)));
  }
  @Interval(600_000) forget(): Promise<void> {
    return this.once('forget', (now) => this.leadership.whileOurs(() => this.sweeps.retention.sweep(now)));
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.allSettled(this.running.values());
  }

  /** A tick that comes while the same sweep still runs is dropped: the next one does its work. */
  private once(name: string, sweep: (now: Date) => Promise<void>): Promise<void> {
    if (this.lifecycle.isDraining || this.running.has(name)) return Promise.resolve();
    const run = sweep(this.clock.now()).finally(() => this.running.delete(name));
    this.running.set(name, run);
    return run;
  }
}
