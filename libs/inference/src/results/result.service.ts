import { Injectable } from '@nestjs/common';
import {
  Checking,
  kinds,
  Refusal,
  TENTHS_PER_CREDIT,
  type InferenceAPIOutputResult,
  type InferenceAPIUsageResponse,
} from '#protocol';
import { AnnouncedCopiesRepository, type ResponseCopy } from '../announcements/announced-copies.repository.js';
import type { InferenceJob } from '../inference.entities.js';
import { InferenceRepository } from '../inference.repository.js';
import type { RequestState } from '../payment/request-state.rules.js';

/** Who asks for an audit: a PastelID that signed the id. */
export interface AuditQuestion {
  /** Of the response or of the request. */
  readonly inference_response_id: string;
  readonly pastel_id: string;
  readonly signature: string;
}
export interface RequestStatus {
  readonly inference_request_id: string;
  readonly inference_response_id: string;
  readonly state: RequestState;
  /** The model that runs it: the one asked for, or one fallen back on. */
  readonly model: string;
  readonly detail: string | null;
  readonly cost_in_credits: number;
  readonly burn_txid: string | null;
  readonly max_block_height_to_include_confirmation_transaction: number;
  readonly attempts: number;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly usage_source: string | null;
}

/** What became of requests: for their owners and, by audit, from this node's own books or from what others announced to it. */
@Injectable()
export class ResultService {
  constructor(
    private readonly repository: InferenceRepository,
    private readonly copies: AnnouncedCopiesRepository,
    private readonly checking: Checking,
  ) {}

  /** A result can be fetched; `false` for whatever is not known. */
  async isReady(responseId: string): Promise<boolean> {
    return kinds.uuid.accepts(responseId) && this.repository.hasResult(responseId);
  }

  async retrieve(responseId: string, caller: string): Promise<InferenceAPIOutputResult> {
    const job = kinds.uuid.accepts(responseId) ? await this.repository.jobOfResponse(responseId) : null;
    const result = job && (await this.repository.resultOf(responseId));
    if (job && job.owner_pastelid !== caller) throw new Refusal('forbidden', 'Unauthorized access to inference output results');
    return result ?? notFound('Inference output results not found');
  }

  /** For the owner: where a request stands, and why. */
  async status(requestId: string, caller: string): Promise<RequestStatus> {
    const job = kinds.uuid.accepts(requestId) ? await this.repository.job(requestId) : null;
    if (!job) return notFound('There is no such inference request');
    if (job.owner_pastelid !== caller) throw new Refusal('forbidden', 'The inference request belongs to another PastelID');
    return statusOf(job);
  }

  async auditResponse(question: AuditQuestion): Promise<InferenceAPIUsageResponse> {
    await this.checkSigned(question);
    const own = await this.ownJob(question);
    const found = own ? await this.repository.responseOf(own.inference_request_id) : (await this.announced(question))?.response;
    return found ?? notFound('Inference API usage response not found');
  }

  /** In full from the responder; cut to 32 characters where it was announced only. */
  async auditResult(question: AuditQuestion): Promise<InferenceAPIOutputResult> {
    await this.checkSigned(question);
    const own = await this.ownJob(question);
    const copy = own ? undefined : await this.announced(question);
    const found = own ? await this.repository.resultOf(own.inference_response_id) : copy && (await this.copies.resultOf(copy));
    return found ?? notFound('Inference API usage result not found');
  }

  private async checkSigned({ inference_response_id: id, pastel_id, signature }: AuditQuestion): Promise<void> {
    if (!(await this.checking.verify(pastel_id, id, signature))) throw new Refusal('unauthorized', 'Invalid PastelID signature');
  }

  private async ownJob({ inference_response_id: id, pastel_id }: AuditQuestion): Promise<InferenceJob | null> {
    const job = await this.repository.jobByEitherId(id);
    if (job) refuseStranger(job.owner_pastelid, pastel_id);
    return job;
  }

  private async announced({ inference_response_id: id, pastel_id }: AuditQuestion): Promise<ResponseCopy | undefined> {
    const copy = await this.copies.response(id);
    if (copy) refuseStranger(copy.ownerPastelId, pastel_id);
    return copy;
  }
}

function refuseStranger(owner: string, caller: string): void {
  if (owner !== caller) throw new Refusal('forbidden', 'Unauthorized access to audit of an inference request');
}
function notFound(text: string): never {
  throw new Refusal('not-found', text);
}

const statusOf = (job: InferenceJob): RequestStatus => ({
  inference_request_id: job.inference_request_id,
  inference_response_id: job.inference_response_id,
  state: job.state,
  model: job.model,
  detail: job.detail,
  cost_in_credits: job.cost_tenths / TENTHS_PER_CREDIT,
  burn_txid: job.burn_txid,
  max_block_height_to_include_confirmation_transaction: job.max_height,
  attempts: job.attempts,
  input_tokens: job.input_tokens,
  output_tokens: job.output_tokens,
  usage_source: job.usage_source,
});
