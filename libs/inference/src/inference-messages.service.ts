import { Injectable } from '@nestjs/common';
import { Chain } from '#chain';
import { InferenceSettings } from '#config';
import type { CreditPack } from '#credit-pack';
import { MessageTypes } from '#messaging';
import {
  Clock,
  CreditNote,
  creditsFloat,
  Entropy,
  InferenceAPIOutputResult,
  InferenceAPIUsageRequest,
  InferenceAPIUsageResponse,
  inDialectOf,
  pythonTimestamp,
  seal,
  Signing,
} from '#protocol';
import { resultAnnouncement, responseAnnouncement } from './announcements/announcement.rules.js';
import type { InferenceJob } from './inference.entities.js';
import type { Ending, NewAnnouncement } from './inference.repository.js';
import { unservedFields, type ResultFields, type UnservedCode } from './execution/result.rules.js';

const VERSION = '1.0';

/** What a quote says. Amounts in tenths of credits. */
export interface QuoteTerms {
  readonly request: InferenceAPIUsageRequest;
  readonly pack: CreditPack;
  readonly costTenths: number;
  /** What is to be burned: the cost, or nothing where a credit note pays. */
  readonly burnTenths: number;
  readonly remainingTenths: number;
}
/** A request that was paid and will not be served. */
export interface Unserved {
  readonly job: InferenceJob;
  readonly request: InferenceAPIUsageRequest;
  readonly code: UnservedCode;
  readonly reason: string;
  readonly burnTxid: string;
  readonly owedTenths: number;
}

/** Makes and signs the messages of this node, with the announcements that they owe. */
@Injectable()
export class InferenceMessages {
  constructor(
    private readonly chain: Chain,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
    private readonly signing: Signing,
    private readonly settings: InferenceSettings,
  ) {}

  newId(): string {
    return this.entropy.uuid();
  }

  /** In the dialect of the requester (credit-packs spec 1.7). Throws ChainUnavailable. */
  async response({ request, pack, costTenths, burnTenths, remainingTenths }: QuoteTerms): Promise<InferenceAPIUsageResponse> {
    const height = await this.chain.height();
    const draft = {
      id: this.entropy.uuid(),
      inference_response_id: this.entropy.uuid(),
      inference_request_id: request.inference_request_id,
      proposed_cost_of_request_in_inference_credits: creditsFloat(costTenths),
      remaining_credits_in_pack_after_request_processed: creditsFloat(remainingTenths),
      credit_usage_tracking_psl_address: pack.trackingAddress,
      request_confirmation_message_amount_in_patoshis: burnTenths,
      max_block_height_to_include_confirmation_transaction: height + this.settings.confirmationBlocks,
      inference_request_response_utc_iso_string: pythonTimestamp(this.clock.now()),
      inference_request_response_pastel_block_height: height,
      inference_request_response_message_version_string: VERSION,
    };
    return seal(InferenceAPIUsageResponse, inDialectOf(request, draft), this.signing);
  }

  /** The signed result, ready to be stored. */
  async served(job: InferenceJob, request: InferenceAPIUsageRequest, fields: ResultFields): Promise<Ending> {
    const result = await this.result(job, fields);
    return { result, announcement: this.announced(MessageTypes.inferenceResult, resultAnnouncement(request, result), request) };
  }

  /** A signed result that says why there is none, and the credit note for what was burned. */
  async unserved({ job, request, code, reason, burnTxid, owedTenths }: Unserved): Promise<Required<Ending>> {
    const note = await seal(
      CreditNote,
      {
        credit_note_id: this.entropy.uuid(),
        inference_request_id: job.inference_request_id,
        inference_response_id: job.inference_response_id,
        responding_supernode_pastelid: this.signing.pastelId,
        requesting_pastelid: job.owner_pastelid,
        credit_pack_ticket_pastel_txid: job.pack_txid,
        burn_txid: burnTxid,
        credits_owed: creditsFloat(owedTenths),
        reason,
        credit_note_utc_iso_string: pythonTimestamp(this.clock.now()),
        credit_note_pastel_block_height: await this.heightOr(job.max_height),
        credit_note_message_version_string: VERSION,
      },
      this.signing,
    );
    const { inference_type: type } = job;
    const fields = unservedFields({ type, code, message: reason, creditNoteId: note.credit_note_id });
    return { ...(await this.served(job, request, fields)), note };
  }

  /** The same for a request that a note paid: its amount is open again, so there is no new one. */
  unservedFromNote(
    job: InferenceJob,
    request: InferenceAPIUsageRequest,
    { code, reason, noteId }: { code: UnservedCode; reason: string; noteId: string },
  ): Promise<Ending> {
    return this.served(job, request, unservedFields({ type: job.inference_type, code, message: reason, creditNoteId: noteId }));
  }

  announcedQuote(request: InferenceAPIUsageRequest, response: InferenceAPIUsageResponse): NewAnnouncement {
    return this.announced(MessageTypes.inferenceResponse, responseAnnouncement(request, response), request);
  }

  private async result(job: InferenceJob, fields: ResultFields): Promise<InferenceAPIOutputResult> {
    return seal(
      InferenceAPIOutputResult,
      {
        id: this.entropy.uuid(),
        inference_result_id: this.entropy.uuid(),
        inference_request_id: job.inference_request_id,
        inference_response_id: job.inference_response_id,
        responding_supernode_pastelid: this.signing.pastelId,
        ...fields,
        inference_result_utc_iso_string: pythonTimestamp(this.clock.now()),
        inference_result_pastel_block_height: await this.heightOr(job.burn_seen_height ?? job.max_height),
        inference_result_message_version_string: VERSION,
      },
      this.signing,
    );
  }

  /** A paid result must not be lost because the chain is away at this moment; nobody checks the height of a result. */
  private heightOr(fallback: number): Promise<number> {
    return this.chain.height().catch(() => fallback);
  }

  private announced(message_type: string, text: string, request: InferenceAPIUsageRequest): NewAnnouncement {
    const created_at_ms = this.clock.now().getTime();
    return { id: this.entropy.uuid(), message_type, text, closest_to: request.requesting_pastelid, created_at_ms };
  }
}
