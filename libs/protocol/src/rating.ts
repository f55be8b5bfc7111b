/** What the owner of a paid request says of the supernode that ran it. */
export interface RatingClaim {
  readonly supernodePastelId: string;
  /** Id of the response, or of the request. */
  readonly inferenceId: string;
  /** 0 to 5, with two decimals at most. */
  readonly score: number;
  /** Hash in the result that the owner was given; lets others compare it with what was announced. */
  readonly resultHash?: string;
}

export const RATING_MAX = 5;

/** The score times 100, as it is stored and signed; undefined for whatever is no score. */
export function ratingHundredths(score: number): number | undefined {
  const hundredths = Math.round(score * 100);
  const isScore = score >= 0 && score <= RATING_MAX && Math.abs(score * 100 - hundredths) < 1e-9;
  return isScore ? hundredths : undefined;
}

/**
 * The text that the owner signs: five lines without a last line break. The first says what it is, so that no other signature passes
 * for a rating; the score stands times 100, because numbers print differently in different languages; the last line may be empty.
 */
export const ratingText = ({ supernodePastelId, inferenceId, score, resultHash = '' }: RatingClaim): string =>
  ['Pastel inference rating, version 1', supernodePastelId, inferenceId, ratingHundredths(score), resultHash].join('\n');
