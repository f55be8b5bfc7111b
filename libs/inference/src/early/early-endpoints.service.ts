import { Injectable } from '@nestjs/common';
import {
  Clock,
  decodeBase64Text,
  encodeBase64,
  kinds,
  Refusal,
  TENTHS_PER_CREDIT,
  type InferenceAPIOutputResult,
  type Json,
} from '#protocol';
import { AdmissionService } from '../quote/admission.service.js';
import { ConfirmationService } from '../payment/confirmation.service.js';
import type { ConfirmationStep, ValidationQuestion } from './early-endpoints.dto.js';
import { ExecutionService } from '../execution/execution.service.js';
import type { InferenceJob } from '../inference.entities.js';
import { InferenceRepository } from '../inference.repository.js';
import { jsonOrNothing } from '../quote/input.rules.js';
import { PricingService } from '../quote/pricing.service.js';
import { isPaid, type RequestState } from '../payment/request-state.rules.js';

export interface Validity {
  readonly is_valid: boolean;
  readonly proposed_cost_of_request_in_inference_credits: number | null;
  readonly remaining_credits_in_pack_after_request_processed: number | null;
  /** Why it is not valid. */
  readonly reason: string | null;
}
export interface Processed {
  /** True: paid. False: never to be paid by this. Null: the burn was not seen yet. */
  readonly is_processed: boolean | null;
  readonly reason: string | null;
}
export interface Executed {
  readonly state: RequestState;
  /** Null until there is a result. */
  readonly output_text: string | null;
  readonly output_files: string[];
  readonly inference_result: InferenceAPIOutputResult | null;
}

/**
 * The steps of a request as the first clients called them one by one (inference spec 2.2, messaging spec 9.1). Each is a look, or the same
 * step that the later endpoints take: states, holds and burns are theirs. Who calls from this machine acts for the owner.
 */
@Injectable()
export class EarlyEndpoints {
  constructor(
    private readonly repository: InferenceRepository,
    private readonly pricing: PricingService,
    private readonly admission: AdmissionService,
    private readonly confirmations: ConfirmationService,
    private readonly executions: ExecutionService,
    private readonly clock: Clock,
  ) {}

  /** What the request would cost, and whether the pack has it. Nothing is stored or held. */
  async validate(question: ValidationQuestion): Promise<Validity> {
    try {
      const request = {
        requesting_pastelid: question.requesting_pastelid,
        credit_pack_ticket_pastel_txid: question.credit_pack_identifier,
        requested_model_canonical_string: question.requested_model_canonical_string,
        model_inference_type_string:
          question.model_inference_type_string ??
          (await this.pricing.firstTypeOf(question.requested_model_canonical_string)) ??
          '',
        model_parameters_json_b64: encodeBase64(question.model_parameters_json),
        model_input_data_json_b64: question.model_input_data_json_b64,
      };
      const recognised = await this.pricing.recognise(request);
      const payer = await this.admission.admit(request);
      const { tenths: costTenths } = (await this.pricing.price(recognised)).cost;
      const { availableTenths } = await this.admission.afford(payer, costTenths);
      return {
        is_valid: true,
        proposed_cost_of_request_in_inference_credits: costTenths / TENTHS_PER_CREDIT,
        remaining_credits_in_pack_after_request_processed: (availableTenths - costTenths) / TENTHS_PER_CREDIT,
        reason: null,
      };
    } catch (error) {
      return notValid(answerable(error));
    }
  }

  /** Names the burn, exactly as `confirm_inference_request` does. */
  async process({ inference_request_id: id, confirmation_transaction }: ConfirmationStep, caller?: string): Promise<Processed> {
    if (!kinds.burnReference.accepts(confirmation_transaction))
      throw new Refusal('bad-request', 'confirmation_transaction should be an object with a txid of 64 lower-case hex digits');
    try {
      const { owner_pastelid } = await this.jobFor(id, caller);
      const confirmation = { inference_request_id: id, requesting_pastelid: owner_pastelid, confirmation_transaction };
      await this.confirmations.confirm(confirmation, owner_pastelid);
    } catch (error) {
      const { code, message } = answerable(error);
      if (code === 'forbidden') throw error;
      return { is_processed: false, reason: message };
    }
    const { state, detail } = await this.jobFor(id, caller);
    return isPaid(state)
      ? { is_processed: true, reason: null }
      : { is_processed: null, reason: detail ?? 'The burn was not seen yet; it is looked for' };
  }

  /** Sees to it that a paid request is in its turn, and gives its result when there is one. As often as one likes. */
  async execute(requestId: string, caller?: string): Promise<Executed> {
    const job = await this.jobFor(requestId, caller);
    if (!isPaid(job.state)) throw new Refusal('conflict', 'The inference request is not confirmed: its burn must be named first');
    await this.executions.sweep(this.clock.now());
    const result = await this.repository.resultOf(job.inference_response_id);
    // In this order: a result that is shown is never that of a request which still runs.
    const { state } = await this.jobFor(requestId, caller);
    return { state, output_text: result && textOf(result), output_files: [], inference_result: result };
  }

  private async jobFor(requestId: string, caller: string | undefined): Promise<InferenceJob> {
    const job = kinds.uuid.accepts(requestId) ? await this.repository.job(requestId) : null;
    if (!job) throw new Refusal('not-found', 'There is no such inference request');
    if (caller !== undefined && job.owner_pastelid !== caller)
      throw new Refusal('forbidden', 'The inference request belongs to another PastelID');
    return job;
  }
}

/** A refusal that is an answer; anything else is a fault, or a chain that is away. */
function answerable(error: unknown): Refusal {
  if (error instanceof Refusal && error.code !== 'unavailable') return error;
  throw error;
}
const notValid = ({ message }: Refusal): Validity => ({
  is_valid: false,
  proposed_cost_of_request_in_inference_credits: null,
  remaining_credits_in_pack_after_request_processed: null,
  reason: message,
});

function textOf({ inference_result_json_base64 }: InferenceAPIOutputResult): string {
  const text = decodeBase64Text(inference_result_json_base64) ?? '';
  const json: Json | undefined = jsonOrNothing(text);
  return typeof json === 'string' ? json : text;
}
