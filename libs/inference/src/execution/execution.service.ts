import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { Transactions } from '#database';
import { Entropy } from '#protocol';
import type { InferenceJob } from '../inference.entities.js';
import { InferenceRepository } from '../inference.repository.js';
import { ProviderFailure, type InferenceType } from '../providers/index.js';
import { inputOf } from '../quote/input.rules.js';
import { AttemptService } from './attempt.service.js';
import { ProviderGate } from './provider-gate.js';
import { ProviderRunner } from './provider-runner.service.js';

/** A process that does not renew its lease for this long is taken for dead. */
const LEASE_MS = 60_000;
const AT_ONCE_MAX = 100;

/**
 * Paid requests are run (inference spec 5.7 [FIX]).
 *
 * 1. Leases of this process are renewed; requests whose process died go back in the queue, or fail when they had all their attempts.
 * 2. What waited too long for a provider that stays away fails.
 * 3. As many as fit are taken, of providers that take any, each with one conditional statement that counts the attempt and starts its lease.
 * 4. The provider runs under a deadline, with an idempotency key that is the same for every attempt.
 * 5. {@link AttemptService} stores how it ended.
 */
@Injectable()
export class ExecutionService implements BeforeApplicationShutdown {
  private readonly logger = new Logger(ExecutionService.name);
  private readonly running = new Map<string, Promise<void>>();
  private readonly shutdown = new AbortController();
  private readonly executor: string;
  private sweeping: Promise<void> | undefined;
  private renewedAtMs = 0;

  constructor(
    private readonly transactions: Transactions,
    private readonly repository: InferenceRepository,
    private readonly runner: ProviderRunner,
    private readonly attempts: AttemptService,
    private readonly gate: ProviderGate,
    entropy: Entropy,
  ) {
    this.executor = entropy.uuid();
  }

  /** Starts what is due and returns; does not wait for it. */
  sweep(now: Date): Promise<void> {
    if (this.shutdown.signal.aborted) return Promise.resolve();
    return (this.sweeping ??= this.round(now.getTime()).finally(() => (this.sweeping = undefined)));
  }

  /** When nothing runs any more. */
  async idle(): Promise<void> {
    await this.sweeping;
    await Promise.all(this.running.values());
  }

  /** Interrupted attempts do not count and are taken up again by whoever starts next. */
  async beforeApplicationShutdown(): Promise<void> {
    this.shutdown.abort();
    await this.idle();
  }

  private async round(nowMs: number): Promise<void> {
    if (nowMs - this.renewedAtMs >= LEASE_MS / 3) {
      this.renewedAtMs = nowMs;
      for (const id of this.running.keys()) await this.repository.renewLease(id, this.executor, nowMs + LEASE_MS);
    }
    for (const job of await this.repository.lapsedLeases(nowMs, AT_ONCE_MAX)) {
      if (!this.running.has(job.inference_request_id)) await this.attempts.lapsed(job);
    }
    await this.attempts.endLongWaits(AT_ONCE_MAX);
    const { room } = this.gate;
    for (const job of room > 0 ? await this.repository.attemptsDue(nowMs, room, this.gate.closed()) : []) {
      if (this.gate.enter(job.provider)) await this.start(job, nowMs);
    }
  }

  /** The gate is open for it already. */
  private async start(job: InferenceJob, nowMs: number): Promise<void> {
    const id = job.inference_request_id;
    const taken = { ...job, attempts: job.attempts + 1, due_at_ms: nowMs + LEASE_MS, executor: this.executor };
    const { attempts, due_at_ms, executor } = taken;
    const isOurs = await this.transactions.run('inference: attempt begun', (m) =>
      this.repository.step(m, id, 'CONFIRMED', 'EXECUTING', { attempts, due_at_ms, executor }),
    );
    if (!isOurs) return this.gate.leave(job.provider, 'interrupted');
    const attempt = this.attempt(taken)
      // Nothing is lost: the lease lapses and the request is taken up again.
      .catch((error: unknown) =>
        this.logger.error(`Request ${id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
      )
      .finally(() => this.running.delete(id));
    this.running.set(id, attempt);
  }

  private async attempt(job: InferenceJob): Promise<void> {
    let end: Parameters<ProviderGate['leave']>[1] = 'interrupted';
    try {
      const request = await this.repository.request(job.inference_request_id);
      if (!request) throw new Error('the request is gone');
      const input = inputOf(job.inference_type as InferenceType, request.model_input_data_json_b64);
      const answer = await this.runner.run(job, input, this.shutdown.signal).catch((failure: ProviderFailure) => failure);
      if (!(answer instanceof ProviderFailure)) {
        end = 'answered';
        return await this.attempts.completed(job, request, answer);
      }
      if (this.shutdown.signal.aborted) return await this.attempts.interrupted(job, this.executor);
      end = answer;
      await this.attempts.failed(job, request, answer, this.executor);
    } finally {
      this.gate.leave(job.provider, end);
    }
  }
}
