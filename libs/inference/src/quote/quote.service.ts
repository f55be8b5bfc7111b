import { Injectable } from '@nestjs/common';
import { isUniqueViolation, Transactions } from '#database';
import { Freshness } from '#http';
import { Refusal, type InferenceAPIUsageRequest, type InferenceAPIUsageResponse } from '#protocol';
import { AdmissionService, type Admission } from './admission.service.js';
import { InferenceMessages } from '../inference-messages.service.js';
import { InferenceRepository } from '../inference.repository.js';
import { PricingService, type PricedWork } from './pricing.service.js';

/** Clients send `initiating`; it is signed, so it is kept as it is. */
const STATUS_LENGTH_MAX = 100;

/**
 * A usage request becomes a quote (inference spec 5.1, 5.2), cheap checks before dear ones.
 *
 * 1. A request seen before gets the answer it got then; another one under its id is refused.
 * 2. It must be fresh.
 * 3. Model, sort of work and parameters must make sense.
 * 4. The pack must exist, allow the requester and have something left.
 * 5. Only now the input is read and counted, perhaps by a service; the price follows, and the pack must have it.
 * 6. The response is signed in the requester's dialect.
 * 7. Request, response, hold and the owed announcement are stored together, before the answer leaves.
 */
@Injectable()
export class QuoteService {
  constructor(
    private readonly transactions: Transactions,
    private readonly repository: InferenceRepository,
    private readonly freshness: Freshness,
    private readonly pricing: PricingService,
    private readonly admission: AdmissionService,
    private readonly messages: InferenceMessages,
  ) {}

  async quote(request: InferenceAPIUsageRequest): Promise<InferenceAPIUsageResponse> {
    const earlier = await this.answerOf(request);
    if (earlier) return earlier;
    const faults = await this.freshness.faultsOf(request);
    if (faults.length > 0) throw new Refusal('bad-request', faults.join('; '));
    if (request.status.length > STATUS_LENGTH_MAX) throw new Refusal('bad-request', 'status is too long');

    const recognised = await this.pricing.recognise(request);
    const payer = await this.admission.admit(request);
    const work = await this.pricing.price(recognised);
    const admission = await this.admission.afford(payer, work.cost.tenths);
    const burnTenths = admission.note ? 0 : work.cost.tenths;
    const response = await this.messages.response({
      request,
      pack: admission.pack,
      costTenths: work.cost.tenths,
      burnTenths,
      remainingTenths: admission.availableTenths - burnTenths,
    });
    try {
      await this.store(request, response, work, admission);
      return response;
    } catch (error) {
      const simultaneous = isUniqueViolation(error) ? await this.answerOf(request) : undefined;
      if (simultaneous) return simultaneous;
      throw error;
    }
  }

  private async answerOf(request: InferenceAPIUsageRequest): Promise<InferenceAPIUsageResponse | undefined> {
    const job = await this.repository.job(request.inference_request_id);
    if (!job) return undefined;
    const response =
      job.request_hash === request.sha3_256_hash_of_inference_request_fields &&
      (await this.repository.responseOf(request.inference_request_id));
    if (response) return response;
    throw new Refusal('conflict', `inference_request_id ${request.inference_request_id} was used before`);
  }

  private store(
    request: InferenceAPIUsageRequest,
    response: InferenceAPIUsageResponse,
    work: PricedWork,
    admission: Admission,
  ): Promise<void> {
    const requestId = request.inference_request_id;
    const maxHeight = response.max_block_height_to_include_confirmation_transaction;
    const announcement = this.messages.announcedQuote(request, response);
    const job = {
      inference_request_id: requestId,
      inference_response_id: response.inference_response_id,
      request_hash: request.sha3_256_hash_of_inference_request_fields,
      owner_pastelid: request.requesting_pastelid,
      pack_txid: admission.pack.registrationTxid,
      model: work.model.entry.model_name,
      upstream_model: work.model.upstream,
      provider: work.provider,
      inference_type: work.inferenceType,
      parameters: JSON.stringify(work.parameters),
      workload: JSON.stringify(work.work),
      fallbacks: JSON.stringify(work.fallbacks),
      cost_tenths: work.cost.tenths,
      note_id: admission.note?.noteId ?? null,
      max_height: maxHeight,
      created_at_ms: announcement.created_at_ms,
    };
    return this.transactions.run('inference: quote stored', async (m) => {
      await this.admission.limitQuotes(m, request.requesting_pastelid);
      await this.repository.storeQuote(m, { request, response, job, announcement });
      await this.admission.hold(m, admission, { requestId, tenths: work.cost.tenths, expiresAtHeight: maxHeight });
    });
  }
}
