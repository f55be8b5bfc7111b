import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { InferenceSettings } from '#config';
import { Transactions } from '#database';
import { Clock, type InferenceAPIUsageRequest } from '#protocol';
import type { InferenceJob } from '../inference.entities.js';
import { InferenceMessages } from '../inference-messages.service.js';
import { InferenceRepository, type JobChanges } from '../inference.repository.js';
import { inputOf } from '../quote/input.rules.js';
import { ProviderRunner, type Answer } from './provider-runner.service.js';
import { ProviderFailure, type InferenceType } from '../providers/index.js';
import type { UnservedCode } from './result.rules.js';

/** A process that does not renew its lease for this long is taken for dead. */
const LEASE_MS = 60_000;
const RETRY_FIRST_MS = 5_000;
const LAPSED_MAX = 100;

/** 5 s, 20 s, 80 s … */
const pauseAfter = (attempts: number): number => RETRY_FIRST_MS * 4 ** (attempts - 1);

/**
 * Paid requests are run (inference spec 5.7 [FIX]).
 *
 * 1. Leases of this process are renewed; requests whose process died go back in the queue, or fail when they had all their attempts.
 * 2. As many as fit are taken, each with one conditional statement that counts the attempt and starts its lease.
 * 3. The provider runs under a deadline, with an idempotency key that is the same for every attempt.
 * 4. Signed result, state and owed announcement are stored together. What may pass is tried again later, a limited number of times;
 *    what may not ends with a signed error result and a credit note. A process that lost its lease may still bring a result, but its
 *    failure ends nobody else's attempt.
 */
@Injectable()
export class ExecutionService implements BeforeApplicationShutdown {
  private readonly logger = new Logger(ExecutionService.name);
  private readonly running = new Map<string, Promise<void>>();
  private readonly shutdown = new AbortController();
  private executorId: string | undefined;
  private sweeping: Promise<void> | undefined;
  private renewedAtMs = 0;

  constructor(
    private readonly transactions: Transactions,
    private readonly repository: InferenceRepository,
    private readonly runner: ProviderRunner,
    private readonly messages: InferenceMessages,
    private readonly clock: Clock,
    private readonly settings: InferenceSettings,
  ) {}

  /** Starts what is due and returns; does not wait for it. */
  sweep(now: Date): Promise<void> {
    if (this.shutdown.signal.aborted) return Promise.resolve();
    return (this.sweeping ??= this.round(now).finally(() => (this.sweeping = undefined)));
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

  private get executor(): string {
    return (this.executorId ??= this.messages.newId());
  }

  private async round(now: Date): Promise<void> {
    const nowMs = now.getTime();
    if (nowMs - this.renewedAtMs >= LEASE_MS / 3) {
      this.renewedAtMs = nowMs;
      for (const id of this.running.keys()) await this.repository.renewLease(id, this.executor, nowMs + LEASE_MS);
    }
    for (const job of await this.repository.lapsedLeases(nowMs, LAPSED_MAX)) {
      if (!this.running.has(job.inference_request_id)) await this.takeBack(job, nowMs);
    }
    const room = this.settings.executionsMax - this.running.size;
    for (const job of room > 0 ? await this.repository.attemptsDue(nowMs, room) : []) await this.start(job, nowMs);
  }

  private async takeBack(job: InferenceJob, nowMs: number): Promise<void> {
    const { attempts, inference_request_id: id } = job;
    if (attempts < this.settings.executionAttemptsMax) {
      await this.transactions.run('inference: lapsed attempt handed back', (m) =>
        this.repository.stepFromLapsedLease(m, job, 'CONFIRMED', { due_at_ms: nowMs, executor: null }),
      );
      return;
    }
    const request = await this.repository.request(id);
    if (request) await this.fail(job, request, 'internal_error', `Interrupted ${attempts} times`, true);
  }

  private async start(job: InferenceJob, nowMs: number): Promise<void> {
    const id = job.inference_request_id;
    const taken = { ...job, attempts: job.attempts + 1, due_at_ms: nowMs + LEASE_MS, executor: this.executor };
    const { attempts, due_at_ms, executor } = taken;
    const isOurs = await this.transactions.run('inference: attempt begun', (m) =>
      this.repository.step(m, id, 'CONFIRMED', 'EXECUTING', { attempts, due_at_ms, executor }),
    );
    if (!isOurs) return;
    const attempt = this.attempt(taken)
      // Nothing is lost: the lease lapses and the request is taken up again.
      .catch((error: unknown) =>
        this.logger.error(`Request ${id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
      )
      .finally(() => this.running.delete(id));
    this.running.set(id, attempt);
  }

  private async attempt(job: InferenceJob): Promise<void> {
    const request = await this.repository.request(job.inference_request_id);
    if (!request) throw new Error('the request is gone');
    try {
      const answer = await this.runner.run(
        job,
        inputOf(job.inference_type as InferenceType, request.model_input_data_json_b64),
        this.shutdown.signal,
      );
      await this.complete(job, request, answer);
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error;
      await this.afterFailure(job, request, error);
    }
  }

  private async complete(job: InferenceJob, request: InferenceAPIUsageRequest, { fields, usage }: Answer): Promise<void> {
    const ending = await this.messages.served(job, request, fields);
    await this.transactions.run('inference: result stored', async (m) => {
      const changes = {
        ...this.over(),
        input_tokens: usage.inputTokens,
        output_tokens: usage.outputTokens,
        usage_source: usage.source,
      };
      if (await this.repository.step(m, job.inference_request_id, 'EXECUTING', 'COMPLETED', changes))
        await this.repository.storeEnding(m, ending);
    });
  }

  private async afterFailure(
    job: InferenceJob,
    request: InferenceAPIUsageRequest,
    { code, message, retryable }: ProviderFailure,
  ): Promise<void> {
    const interrupted = this.shutdown.signal.aborted;
    if (!interrupted && (!retryable || job.attempts >= this.settings.executionAttemptsMax))
      return this.fail(job, request, code, message);
    const attempts = interrupted ? job.attempts - 1 : job.attempts;
    const due_at_ms = this.clock.now().getTime() + (interrupted ? 0 : pauseAfter(attempts));
    this.logger.warn(`Request ${job.inference_request_id}, attempt ${job.attempts}: ${interrupted ? 'interrupted' : message}`);
    await this.transactions.run('inference: attempt given back', (m) =>
      this.repository.step(
        m,
        job.inference_request_id,
        'EXECUTING',
        'CONFIRMED',
        { attempts, due_at_ms, executor: null, detail: message },
        this.executor,
      ),
    );
  }

  private async fail(
    job: InferenceJob,
    request: InferenceAPIUsageRequest,
    code: UnservedCode,
    reason: string,
    isLapsed = false,
  ): Promise<void> {
    this.logger.warn(`Request ${job.inference_request_id} failed: ${reason}`);
    const ending = await this.messages.unserved({
      job,
      request,
      code,
      reason,
      burnTxid: job.burn_txid!,
      burnedTenths: job.cost_tenths,
    });
    const changes = { ...this.over(), detail: reason };
    await this.transactions.run('inference: failure stored', async (m) => {
      const stepped = isLapsed
        ? await this.repository.stepFromLapsedLease(m, job, 'FAILED', changes)
        : await this.repository.step(m, job.inference_request_id, 'EXECUTING', 'FAILED', changes, this.executor);
      if (stepped) await this.repository.storeEnding(m, ending);
    });
  }

  private over(): JobChanges {
    return { finished_at_ms: this.clock.now().getTime(), due_at_ms: null, executor: null };
  }
}
