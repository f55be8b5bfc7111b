import { Injectable } from '@nestjs/common';
import { PackLedger } from '#credit-pack';
import { Signing, tenthsOfMillicredits } from '#protocol';
import { CompletedRequests, type CompletedRequest } from '#reputation';
import { AnnouncedCopiesRepository } from '../announcements/announced-copies.repository.js';
import { InferenceRepository } from '../inference.repository.js';
import { hasEnded } from '../payment/request-state.rules.js';

/**
 * Which requests somebody paid for and got an end of. This node's own books know for certain. Of what another supernode announced, the
 * requester's PastelID could be an invention: it must be allowed to spend the credit pack that is named, the response must name that pack's
 * tracking address, and at least its cost must have been burned from there.
 */
@Injectable()
export class KnownCompletedRequests extends CompletedRequests {
  constructor(
    private readonly repository: InferenceRepository,
    private readonly copies: AnnouncedCopiesRepository,
    private readonly ledger: PackLedger,
    private readonly signing: Signing,
  ) {
    super();
  }

  find(id: string, supernodePastelId: string): Promise<CompletedRequest | undefined> {
    return supernodePastelId === this.signing.pastelId ? this.own(id) : this.announced(id, supernodePastelId);
  }

  private async own(id: string): Promise<CompletedRequest | undefined> {
    const job = await this.repository.jobByEitherId(id);
    if (!job || !hasEnded(job.state)) return undefined;
    const result = await this.repository.resultOf(job.inference_response_id);
    return {
      inferenceResponseId: job.inference_response_id,
      ownerPastelId: job.owner_pastelid,
      packTxid: job.pack_txid,
      ...(result && { resultHash: result.sha3_256_hash_of_inference_result_fields }),
    };
  }

  private async announced(id: string, supernodePastelId: string): Promise<CompletedRequest | undefined> {
    const copy = await this.copies.responseSignedBy(supernodePastelId, id);
    const result = copy && (await this.copies.resultOf(copy));
    if (!copy || !result) return undefined;
    const { response, ownerPastelId } = copy;
    const pack = copy.packTxid === undefined ? undefined : await this.ledger.find(copy.packTxid);
    const isTheirs =
      pack?.authorisedPastelIds.includes(ownerPastelId) === true &&
      pack.trackingAddress === response.credit_usage_tracking_psl_address;
    if (!isTheirs) return undefined;
    await this.ledger.refresh(pack);
    const { burnedMillicredits } = await this.ledger.balanceOf(pack);
    if (tenthsOfMillicredits(burnedMillicredits) < response.request_confirmation_message_amount_in_patoshis) return undefined;
    return {
      inferenceResponseId: response.inference_response_id,
      ownerPastelId,
      packTxid: pack.registrationTxid,
      resultHash: result.sha3_256_hash_of_inference_result_fields,
    };
  }
}
