/** What is known of a supernode here. Ratings 0 to 500, in hundredths. */
export interface Evidence {
  /** The mean rating of each credit pack that paid for rated requests. */
  readonly voices: readonly number[];
  /** How often this node asked whether it is alive, and was answered. */
  readonly asked: number;
  readonly answered: number;
  /** Rated results that are the ones announced here, and that are not. */
  readonly resultsAgreeing: number;
  readonly resultsDiffering: number;
}
export interface Score {
  readonly scoreHundredths: number;
  readonly ratingHundredths: number | null;
}

const SCORE_MAX = 5;
const HUNDREDTHS_MAX = SCORE_MAX * 100;
/** Shares of the whole; explained in docs/reputation.md. */
const WEIGHT = { rating: 0.5, liveness: 0.3, agreement: 0.2 } as const;
/** A supernode of which nothing is known: three of five, as if three packs had said so. */
const RATING_ASSUMED = 0.6;
const VOICES_ASSUMED = 3;
/** As if it had been asked four times, and had answered twice. */
const ASKED_ASSUMED = 4;
/** As if two results had agreed: who is never checked is not suspected, and each difference weighs. */
const AGREEING_ASSUMED = 2;

/** From 0 to 5. One more good rating, answer or agreement never lowers it, one more bad one never raises it. */
export function scoreOf({ voices, asked, answered, resultsAgreeing, resultsDiffering }: Evidence): Score {
  const said = voices.reduce((sum, voice) => sum + voice / HUNDREDTHS_MAX, 0);
  const rating = (said + RATING_ASSUMED * VOICES_ASSUMED) / (voices.length + VOICES_ASSUMED);
  const liveness = (answered + ASKED_ASSUMED / 2) / (asked + ASKED_ASSUMED);
  const agreement = (resultsAgreeing + AGREEING_ASSUMED) / (resultsAgreeing + resultsDiffering + AGREEING_ASSUMED);
  const share = WEIGHT.rating * rating + WEIGHT.liveness * liveness + WEIGHT.agreement * agreement;
  return {
    scoreHundredths: Math.round(share * HUNDREDTHS_MAX),
    ratingHundredths: voices.length === 0 ? null : Math.round((said / voices.length) * HUNDREDTHS_MAX),
  };
}

export const NOTHING_KNOWN: Evidence = { voices: [], asked: 0, answered: 0, resultsAgreeing: 0, resultsDiffering: 0 };
