import { pythonRound, TENTHS_PER_CREDIT, USAGE_BURN_PATOSHIS_MAX } from '#protocol';

/** What turns USD into credits (inference spec 4.1). */
export interface CreditPricing {
  /** TARGET_VALUE_PER_CREDIT_IN_USD. */
  readonly usdPerCredit: number;
  /** TARGET_PROFIT_MARGIN, a share. */
  readonly margin: number;
  readonly minimumTenths: number;
}

/**
 * A tenth of a credit is burned as one patoshi, and larger outputs count as purchases, so no request may cost more than
 * 10,000 credits (inference spec 5.4 W4).
 */
export const COST_TENTHS_MAX = USAGE_BURN_PATOSHIS_MAX;

/** Python's `round(credits, 1)`, in whole tenths. */
export const tenthsRounded = (credits: number): number => Math.round(pythonRound(credits, 1) * TENTHS_PER_CREDIT);

/** Cost of a request that is priced in USD; `undefined` where there is no price at all, which refuses the request. */
export function tenthsOfUsd(usd: number, { usdPerCredit, margin, minimumTenths }: CreditPricing): number | undefined {
  if (!Number.isFinite(usd) || usd <= 0) return undefined;
  return Math.max(minimumTenths, tenthsRounded(usd / (usdPerCredit * (1 - margin))));
}

/** Cost of a request whose menu entry names raw numbers (inference spec 4.5): they are scaled by one factor. */
export function tenthsOfRaw(raw: number, multiplier: number, minimumTenths: number): number | undefined {
  if (!Number.isFinite(raw) || raw <= 0) return undefined;
  return Math.max(minimumTenths, tenthsRounded(raw * multiplier));
}
