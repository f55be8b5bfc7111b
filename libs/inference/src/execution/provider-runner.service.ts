import { Injectable, Logger } from '@nestjs/common';
import { InferenceSettings } from '#config';
import { Clock } from '#protocol';
import type { InferenceJob } from '../inference.entities.js';
import { ProviderFailure, type InferenceType, type ParameterValues, type Workload } from '../providers/index.js';
import { asFailure } from '../providers/kit/failures.js';
import { inputOf } from '../quote/input.rules.js';
import { Providers } from './providers.service.js';
import { resultFields, type ResultFields } from './result.rules.js';
import { soundUsage, type Usage } from './usage.rules.js';

export interface Answer {
  readonly fields: ResultFields;
  readonly usage: Usage;
}

/** One attempt at a provider: under a deadline that holds whether or not the provider listens to it. */
@Injectable()
export class ProviderRunner {
  private readonly logger = new Logger(ProviderRunner.name);
  constructor(
    private readonly providers: Providers,
    private readonly clock: Clock,
    private readonly settings: InferenceSettings,
  ) {}

  /** Throws nothing but a ProviderFailure. `shutdown` ends the attempt early. */
  async run(job: InferenceJob, inputB64: string, shutdown: AbortSignal): Promise<Answer> {
    const provider = this.providers.byName(job.provider);
    const ability = provider?.abilities[job.inference_type as InferenceType];
    if (!provider || !ability)
      throw new ProviderFailure('unavailable', `The provider of ${job.model} is not set up any more`, true);
    const type = job.inference_type as InferenceType;
    const input = asFailure(() => inputOf(type, inputB64));
    const outcome = await this.underDeadline(shutdown, (signal, deadline) =>
      ability.run({
        ...this.providers.surroundingsOf(provider, signal),
        model: job.upstream_model || job.model,
        type,
        input,
        parameters: JSON.parse(job.parameters) as ParameterValues,
        deadline,
        idempotencyKey: job.inference_request_id,
        attempt: job.attempts,
      }),
    );
    const fields = resultFields(outcome);
    if (!fields) throw new ProviderFailure('answer_too_large', 'The answer is too large', false);
    return { fields, usage: soundUsage(outcome.usage, JSON.parse(job.workload) as Workload) };
  }

  private async underDeadline<T>(shutdown: AbortSignal, work: (signal: AbortSignal, deadline: Date) => Promise<T>): Promise<T> {
    const limitMs = this.settings.executionSecondsMax * 1000;
    const over = new AbortController();
    const done = new AbortController();
    const signal = AbortSignal.any([over.signal, shutdown]);
    const aborted = new Promise<never>((_, reject) => {
      const failure = (): void =>
        reject(new ProviderFailure('deadline_exceeded', `No answer within ${limitMs / 1000} seconds`, true));
      if (signal.aborted) failure();
      else signal.addEventListener('abort', failure, { once: true });
    });
    void this.clock.wait(limitMs, done.signal).then(() => {
      if (!done.signal.aborted) over.abort();
    });
    try {
      const deadline = new Date(this.clock.now().getTime() + limitMs);
      return await Promise.race([work(signal, deadline), aborted]);
    } catch (error) {
      if (error instanceof ProviderFailure) throw this.providers.fit(error);
      this.logger.error(error);
      throw new ProviderFailure('refused', 'The provider failed in a way that it should not', false);
    } finally {
      done.abort();
      aborted.catch(() => undefined);
    }
  }
}
