import { Injectable } from '@nestjs/common';
import { Transactions } from '#database';
import { Clock, Refusal } from '#protocol';
import type { PackRow } from './pack.entity.js';
import { LedgerStore } from './pack-ledger.store.js';
import { TicketFollower } from './ticket-follower.service.js';
import { TicketRetry } from './ticket-retry.service.js';

const SWEEPS_TO_CATCH_UP_MAX = 20;

/** The tickets of the chain as this node knows them; looks at the chain where it does not know one. */
@Injectable()
export class TicketIndex {
  private running: Promise<boolean> | undefined;
  private following: Promise<boolean> | undefined;

  constructor(
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
    private readonly follower: TicketFollower,
    private readonly retry: TicketRetry,
    private readonly clock: Clock,
  ) {}

  /** Bounded and idempotent; one at a time. Says whether the tip was reached. Throws ChainUnavailable. */
  sweep(now: Date): Promise<boolean> {
    this.running ??= this.sweepOnce(now).finally(() => (this.running = undefined));
    return this.running;
  }

  /**
   * Everything that stands on the chain when it is called is known when it returns.
   * @throws Refusal `unavailable` while the node is still reading the chain for the first time
   */
  async catchUp(): Promise<void> {
    for (let sweeps = 0; sweeps < SWEEPS_TO_CATCH_UP_MAX; sweeps++) if (await this.sweepAfresh()) return;
    throw new Refusal('unavailable', 'Still reading the credit pack tickets from the chain; try again later');
  }

  /** A standing pack by registration txid or by the txid of its purchase burn. */
  async find(txid: string): Promise<PackRow | undefined> {
    const known = await this.standing(txid);
    if (known) return known;
    await this.catchUp();
    return (await this.standing(txid)) ?? undefined;
  }

  private standing(txid: string): Promise<PackRow | null> {
    return this.transactions.read((manager) => this.store.packs.standing(manager, txid));
  }

  /** One that begins after this call; callers that wait for it share it. */
  private sweepAfresh(): Promise<boolean> {
    const running = this.running;
    if (!running) return this.sweep(this.clock.now());
    this.following ??= running
      .catch(() => false)
      .then(() => {
        this.following = undefined;
        return this.sweep(this.clock.now());
      });
    return this.following;
  }

  private async sweepOnce(now: Date): Promise<boolean> {
    const isComplete = await this.follower.sweep(now);
    await this.retry.sweep(now);
    return isComplete;
  }
}
