import { RATING_MAX, ratingHundredths, type InferenceAPIOutputResult } from '#protocol';
import { closestTo } from './choice.js';
import { ClientError, isSupernodeTrouble, type UserSide } from './side.js';

export interface RatingOptions {
  /** What the supernode gave us. */
  readonly result: InferenceAPIOutputResult;
  readonly servedBy: string;
  /** 0 to 5, two decimals at most. */
  readonly score: number;
}
export interface RatingOutcome {
  readonly asked: number;
  /** Supernodes that took the rating. */
  readonly taken: number;
  /** Why the others did not. */
  readonly reasons: readonly string[];
}

/** Supernodes that were told of the request, and so can tell that it was ours (inference spec 5.6). */
const WITNESSES = 4;
const TIMEOUT_MS = 15_000;

/** Rates the supernode that ran a request, once, at the supernodes that know of it. The rated one is not asked to rate itself. */
export async function rateInference(side: UserSide, { result, servedBy, score }: RatingOptions): Promise<RatingOutcome> {
  if (ratingHundredths(score) === undefined)
    throw new ClientError('bad-input', `A rating is a number from 0 to ${RATING_MAX} with two decimals at most, not ${score}`);
  const closest = await closestTo(side, side.signing.pastelId);
  const witnesses = closest.filter(({ pastelId }) => pastelId !== servedBy).slice(0, WITNESSES);
  if (witnesses.length === 0) throw new ClientError('no-supernode', 'There is no other supernode to tell');
  const rating = {
    supernodePastelId: servedBy,
    inferenceId: result.inference_response_id,
    score,
    resultHash: result.sha3_256_hash_of_inference_result_fields,
  };
  const reasons: string[] = [];
  const answers = await Promise.all(
    witnesses.map(({ client }) =>
      client.rate(rating, { timeoutMs: TIMEOUT_MS }).catch((error: unknown) => {
        if (!isSupernodeTrouble(error)) throw error;
        reasons.push(error.message);
        return false;
      }),
    ),
  );
  return { asked: witnesses.length, taken: answers.filter(Boolean).length, reasons };
}
