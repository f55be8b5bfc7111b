import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { LeaseWatch } from '#database';
import { Clock, Entropy } from '#protocol';
import type { InferenceJob } from '../inference.entities.js';
import { InferenceRepository } from '../inference.repository.js';
import { ProviderFailure } from '../providers/index.js';
import { AttemptService } from './attempt.service.js';
import { ProviderGate } from './provider-gate.js';
import { ProviderRunner } from './provider-runner.service.js';

/** A process that is not seen to renew its lease for this long is taken for dead. */
const LEASE_MS = 60_000;
const AT_ONCE_MAX = 100;

/**
 * Paid requests are run (inference spec 5.7 [FIX]).
 *
 * 1. Leases of this process are renewed; requests whose process died go back in the queue, or fail when they had all their attempts.
 * 2. As many as fit are taken, of providers that take any, each with one conditional statement that counts the attempt and starts its lease.
 * 3. What waited too long for a provider that stays away fails; what can run runs first, for it may be the clock that was set forwards.
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
  private readonly leases = new LeaseWatch<InferenceJob>(
    ({ inference_request_id: id }) => id,
    ({ executor, attempts, due_at_ms }) => `${executor} ${attempts} ${due_at_ms}`,
  );
  private renewedAtMs = 0;

  constructor(
    private readonly repository: InferenceRepository,
    private readonly runner: ProviderRunner,
    private readonly attempts: AttemptService,
    private readonly gate: ProviderGate,
    private readonly clock: Clock,
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
    const passedMs = this.clock.monotonicMs();
    if (passedMs - this.renewedAtMs >= LEASE_MS / 3) {
      this.renewedAtMs = passedMs;
      for (const id of this.running.keys()) await this.repository.renewLease(id, this.executor, nowMs + LEASE_MS);
    }
    const leases = await this.repository.leases(AT_ONCE_MAX + this.running.size);
    const notOurs = leases.filter(({ inference_request_id: id }) => !this.running.has(id));
    for (const job of this.leases.unchanged(notOurs, passedMs, LEASE_MS)) await this.attempts.lapsed(job);
    for (let room = this.gate.room; room > 0; room--) {
      const lease = { executor: this.executor, untilMs: nowMs + LEASE_MS };
      const due = { nowMs, pauseMsMax: this.attempts.pauseMsMax };
      const job = await this.repository.claimAttempt(due, this.gate.closed(), lease);
      if (!job) break;
      if (this.gate.enter(job.provider)) this.start(job);
      // Its provider has closed since we looked.
      else await this.attempts.interrupted(job, this.executor);
    }
    await this.attempts.endLongWaits(AT_ONCE_MAX);
  }

  /** The gate is open for it already. */
  private start(job: InferenceJob): void {
    const id = job.inference_request_id;
    const attempt = this.attempt(job)
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
      const answer = await this.runner
        .run(job, request.model_input_data_json_b64, this.shutdown.signal)
        .catch((failure: ProviderFailure) => failure);
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
