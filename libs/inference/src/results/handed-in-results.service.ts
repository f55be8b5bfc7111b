import { Injectable } from '@nestjs/common';
import { Transactions } from '#database';
import { Clock, readJson, Refusal, type InferenceAPIOutputResult } from '#protocol';
import type { HandedInResult } from '../early/early-endpoints.dto.js';
import { InferenceMessages } from '../inference-messages.service.js';
import { InferenceRepository } from '../inference.repository.js';
import { resultFields } from '../execution/result.rules.js';

/**
 * A result that another component of this machine computed (`send_inference_output_results`, messaging spec 9.1).
 *
 * 1. Only for a request that is paid and waits: it takes the same two steps as a run, in one transaction, so that a run and a
 *    handed-in result cannot both end it.
 * 2. What has its result already gives that one: the first stays.
 */
@Injectable()
export class HandedInResults {
  constructor(
    private readonly transactions: Transactions,
    private readonly repository: InferenceRepository,
    private readonly messages: InferenceMessages,
    private readonly clock: Clock,
  ) {}

  async take({
    inference_request_id: id,
    inference_response_id: responseId,
    output_results: output,
  }: HandedInResult): Promise<InferenceAPIOutputResult> {
    const job = await this.repository.job(id);
    if (job?.inference_response_id !== responseId) throw new Refusal('not-found', 'There is no such inference request');
    const earlier = await this.repository.resultOf(responseId);
    if (earlier) return earlier;
    const request = await this.repository.request(id);
    const fields = resultFields({ output: readJson(JSON.stringify(output)), outputText: 'json', files: ['NA'] });
    if (!fields) throw new Refusal('bad-request', 'The result is too large');
    if (!request || job.state !== 'CONFIRMED')
      throw new Refusal('conflict', `The request is ${job.state}, not waiting to be run`);

    const ending = await this.messages.served(job, request, fields);
    const finished_at_ms = this.clock.now().getTime();
    const isStored = await this.transactions.run('inference: handed-in result stored', async (m) => {
      const begun = { attempts: job.attempts + 1, executor: 'handed in' };
      if (!(await this.repository.step(m, id, 'CONFIRMED', 'EXECUTING', begun))) return false;
      const over = { finished_at_ms, due_at_ms: null, executor: null, usage_source: 'handed in' };
      await this.repository.step(m, id, 'EXECUTING', 'COMPLETED', over);
      await this.repository.storeEnding(m, ending);
      return true;
    });
    if (!isStored) throw new Refusal('conflict', 'The request runs already');
    return ending.result;
  }
}
