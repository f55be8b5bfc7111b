import { Injectable, Logger } from '@nestjs/common';
import { InferenceSettings } from '#config';
import { Transactions } from '#database';
import { Clock, type InferenceAPIUsageRequest } from '#protocol';
import { RequestFunds } from '../credit-notes/request-funds.service.js';
import type { InferenceJob } from '../inference.entities.js';
import { InferenceMessages } from '../inference-messages.service.js';
import { InferenceRepository, type JobChanges } from '../inference.repository.js';
import type { ProviderFailure } from '../providers/index.js';
import { stepAfter } from './outcome.rules.js';
import type { Answer } from './provider-runner.service.js';
import type { UnservedCode } from './result.rules.js';

/** What a request runs on next when its model does not deliver: an allowed one that costs no more. */
export type Fallback = Pick<InferenceJob, 'model' | 'provider' | 'upstream_model' | 'parameters' | 'workload'>;

/**
 * How an attempt at a paid request ends (docs/providers.md, outcomes). Each end is one transaction: state, signed result or credit note, and the
 * owed announcement. A process that lost its lease may still bring a result, but its failure ends nobody else's attempt.
 */
@Injectable()
export class AttemptService {
  private readonly logger = new Logger(AttemptService.name);
  constructor(
    private readonly transactions: Transactions,
    private readonly repository: InferenceRepository,
    private readonly funds: RequestFunds,
    private readonly messages: InferenceMessages,
    private readonly clock: Clock,
    private readonly settings: InferenceSettings,
  ) {}

  /** No attempt is put off for longer. */
  get pauseMsMax(): number {
    return this.settings.executionWaitSecondsMax * 1000;
  }

  async completed(job: InferenceJob, request: InferenceAPIUsageRequest, { fields, usage }: Answer): Promise<void> {
    const ending = await this.messages.served(job, request, fields);
    const changes = {
      ...this.over(),
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      usage_source: usage.source,
    };
    await this.transactions.run('inference: result stored', async (m) => {
      if (!(await this.repository.step(m, job.inference_request_id, 'EXECUTING', 'COMPLETED', changes))) return;
      await this.repository.storeEnding(m, ending);
      await this.funds.spend(m, job);
    });
  }

  /** Broken off by our own shutdown: does not count, and is due at once. */
  async interrupted(job: InferenceJob, executor: string): Promise<void> {
    this.logger.warn(`Request ${job.inference_request_id}, attempt ${job.attempts}: interrupted`);
    await this.backInQueue(job, executor, { attempts: job.attempts - 1, due_at_ms: this.nowMs });
  }

  async failed(job: InferenceJob, request: InferenceAPIUsageRequest, failure: ProviderFailure, executor: string): Promise<void> {
    const { executionAttemptsMax: attemptsMax } = this.settings;
    const fallbacks = JSON.parse(job.fallbacks) as Fallback[];
    const next = stepAfter(failure, {
      attempts: job.attempts,
      attemptsMax,
      nowMs: this.nowMs,
      waitUntilMs: this.waitUntilMs(job),
      hasFallback: fallbacks.length > 0,
    });
    const { code, message } = failure;
    this.logger.warn(`Request ${job.inference_request_id}, attempt ${job.attempts} at ${job.model}: ${message}; ${next.step}`);
    if (next.step === 'fail') return this.unserved(job, request, { code, reason: message, from: 'EXECUTING', executor });
    const [fallback, ...rest] = fallbacks;
    const changes =
      next.step === 'retry'
        ? { due_at_ms: next.atMs, detail: message }
        : {
            ...fallback,
            fallbacks: JSON.stringify(rest),
            attempts: 0,
            due_at_ms: this.nowMs,
            detail: `${job.model}: ${message}`,
          };
    await this.backInQueue(job, executor, changes);
  }

  /** The process that ran it is gone. */
  async lapsed(job: InferenceJob): Promise<void> {
    if (job.attempts < this.settings.executionAttemptsMax) {
      await this.transactions.run('inference: lapsed attempt handed back', (m) =>
        this.repository.stepFromLapsedLease(m, job, 'CONFIRMED', { due_at_ms: this.nowMs, executor: null }),
      );
      return;
    }
    const request = await this.repository.request(job.inference_request_id);
    const reason = `Interrupted ${job.attempts} times`;
    if (request) await this.unserved(job, request, { code: 'internal_error', reason, from: 'lapsed lease' });
  }

  /** Ends requests that waited too long for a provider that did not come back. */
  async endLongWaits(limit: number): Promise<void> {
    const since = this.nowMs - this.pauseMsMax;
    for (const job of await this.repository.waitingSince(since, limit)) await this.waitedTooLong(job);
  }
  private async waitedTooLong(job: InferenceJob): Promise<void> {
    const request = await this.repository.request(job.inference_request_id);
    const reason = job.detail ?? 'The model service stayed away';
    if (request) await this.unserved(job, request, { code: 'unavailable', reason, from: 'CONFIRMED' });
  }

  private async unserved(
    job: InferenceJob,
    request: InferenceAPIUsageRequest,
    end: { code: UnservedCode; reason: string; from: 'EXECUTING' | 'CONFIRMED' | 'lapsed lease'; executor?: string },
  ): Promise<void> {
    const { code, reason, from, executor } = end;
    this.logger.warn(`Request ${job.inference_request_id} failed: ${reason}`);
    const ending =
      job.note_id === null
        ? await this.messages.unserved({ job, request, code, reason, burnTxid: job.burn_txid!, owedTenths: job.cost_tenths })
        : await this.messages.unservedFromNote(job, request, { code, reason, noteId: job.note_id });
    const changes = { ...this.over(), detail: reason };
    await this.transactions.run('inference: failure stored', async (m) => {
      const stepped =
        from === 'lapsed lease'
          ? await this.repository.stepFromLapsedLease(m, job, 'FAILED', changes)
          : await this.repository.step(m, job.inference_request_id, from, 'FAILED', changes, executor);
      if (!stepped) return;
      await this.repository.storeEnding(m, ending);
      if (job.note_id !== null) await this.funds.release(m, job);
    });
  }

  private async backInQueue({ inference_request_id: id }: InferenceJob, executor: string, changes: JobChanges): Promise<void> {
    await this.transactions.run('inference: attempt given back', (m) =>
      this.repository.step(m, id, 'EXECUTING', 'CONFIRMED', { ...changes, executor: null }, executor),
    );
  }

  private waitUntilMs({ confirmed_at_ms }: InferenceJob): number {
    return (confirmed_at_ms ?? this.nowMs) + this.pauseMsMax;
  }
  private over(): JobChanges {
    return { finished_at_ms: this.nowMs, due_at_ms: null, executor: null };
  }
  private get nowMs(): number {
    return this.clock.now().getTime();
  }
}
