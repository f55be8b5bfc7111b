import { Injectable } from '@nestjs/common';
import { isUniqueViolation } from '#database';
import { Checking, Clock, ratingHundredths, ratingText, Refusal } from '#protocol';
import { CompletedRequests } from './completed-requests.js';
import type { RatingInput } from './rating.input.js';
import type { Rating } from './reputation.entities.js';
import { StandingRepository } from './standing.repository.js';
import { StandingService } from './standing.service.js';

/** The original's answer (messaging spec 9.1). */
export interface Updated {
  readonly is_updated: boolean;
}
interface SignedRating {
  readonly supernode: string;
  readonly rater: string;
  readonly inferenceId: string;
  readonly score: number;
  readonly resultHash: string | undefined;
  readonly signature: string;
}

/**
 * A score is taken from whoever was served (inference spec 7.1 [FIX]).
 * 1. A call as the original knows it, without a signature, is answered and changes nothing.
 * 2. The score is within bounds, and the PastelID signed this very score for this supernode and this request.
 * 3. That PastelID owns a request which the supernode ran and a credit pack paid for, by this node's own books or by what was announced to it.
 * 4. The first rating of a request stays: the same again is answered the same, another one is refused.
 * 5. The supernode's score is made anew.
 */
@Injectable()
export class RatingService {
  constructor(
    private readonly completed: CompletedRequests,
    private readonly repository: StandingRepository,
    private readonly standings: StandingService,
    private readonly checking: Checking,
    private readonly clock: Clock,
  ) {}

  async rate(input: RatingInput): Promise<Updated> {
    const signed = signedIn(input);
    if (!signed) return { is_updated: false };
    const rating = await this.checked(signed);
    await this.store(rating);
    await this.standings.score(rating.supernode_pastelid);
    return { is_updated: true };
  }

  private async checked({ supernode, rater, inferenceId, score, resultHash, signature }: SignedRating): Promise<Rating> {
    const score_hundredths = ratingHundredths(score);
    if (score_hundredths === undefined)
      throw new Refusal('bad-request', 'reputation_score is a number from 0 to 5 with two decimals at most');
    if (rater === supernode) throw new Refusal('forbidden', 'A supernode does not rate itself');
    const signed_text = ratingText({ supernodePastelId: supernode, inferenceId, score, ...(resultHash && { resultHash }) });
    if (!(await this.checking.verify(rater, signed_text, signature)))
      throw new Refusal('unauthorized', 'Invalid PastelID signature');
    const request = await this.completed.find(inferenceId, supernode);
    if (!request) throw new Refusal('not-found', 'This supernode knows of no such request that was paid for and has ended');
    if (request.ownerPastelId !== rater) throw new Refusal('forbidden', 'The inference request belongs to another PastelID');
    const isComparable = resultHash !== undefined && request.resultHash !== undefined;
    return {
      inference_response_id: request.inferenceResponseId,
      supernode_pastelid: supernode,
      rater_pastelid: rater,
      pack_txid: request.packTxid,
      score_hundredths,
      result_agrees: isComparable ? resultHash === request.resultHash : null,
      signed_text,
      signature,
      received_at_ms: this.clock.now().getTime(),
    };
  }

  private async store(rating: Rating): Promise<void> {
    try {
      await this.repository.addRating(rating);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      const earlier = await this.repository.ratingOf(rating.inference_response_id);
      if (earlier?.score_hundredths !== rating.score_hundredths)
        throw new Refusal('conflict', 'This request was rated before; the first rating stays');
    }
  }
}

function signedIn(input: RatingInput): SignedRating | undefined {
  const inferenceId = input.inference_response_id ?? input.inference_request_id;
  const { pastelid: rater, signature } = input;
  if (rater === undefined || inferenceId === undefined || signature === undefined) return undefined;
  return {
    supernode: input.supernode_pastelid,
    rater,
    inferenceId,
    score: input.reputation_score,
    resultHash: input.inference_result_hash,
    signature,
  };
}
