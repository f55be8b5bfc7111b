import { Injectable, Logger } from '@nestjs/common';
import { Chain } from '#chain';
import { Transactions } from '#database';
import { Clock } from '#protocol';
import type { Health } from './health.dto.js';
import { Lifecycle } from './lifecycle.js';

/** Whoever asks more often gets the last answer. */
const MAX_AGE_MS = 1000;
const TIMEOUT_MS = 5000;

/** Whether this process can serve now. The answers name no address and no secret. */
@Injectable()
export class Readiness {
  private readonly logger = new Logger(Readiness.name);
  private last: { readonly askedAtMs: number; readonly health: Promise<Health> } | undefined;
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly chain: Chain,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  check(): Promise<Health> {
    if (this.lifecycle.isDraining) return Promise.resolve({ status: 'error', checks: { process: 'stopping' } });
    const nowMs = this.clock.monotonicMs();
    const isFresh = this.last !== undefined && nowMs - this.last.askedAtMs < MAX_AGE_MS;
    if (!isFresh) this.last = { askedAtMs: nowMs, health: this.ask() };
    return this.last!.health;
  }

  private async ask(): Promise<Health> {
    const [database, chain] = await Promise.all([
      this.answer('database', () => this.transactions.ping()),
      this.answer('chain', () => this.chain.height()),
    ]);
    const checks = { process: 'ok', database, chain };
    return { status: Object.values(checks).every((text) => text === 'ok') ? 'ok' : 'error', checks };
  }

  private async answer(name: string, ask: () => Promise<unknown>): Promise<string> {
    const done = new AbortController();
    const late = this.clock.wait(TIMEOUT_MS, done.signal).then(() => 'no answer in time');
    const answered = ask().then(
      () => 'ok',
      (error: unknown) => {
        this.logger.warn(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        return 'cannot be reached';
      },
    );
    return Promise.race([answered, late]).finally(() => done.abort());
  }
}
