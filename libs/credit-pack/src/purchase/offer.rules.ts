import {
  authorisedPastelIds,
  PATOSHIS_PER_PSL,
  wholeCreditsOf,
  type CreditPackPurchaseRequest,
  type CreditPackPurchaseRequestPreliminaryPriceQuote,
  type CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
} from '#protocol';

/** Never wider than a thousandth of the total, unless that is too narrow to be unguessable. */
const SURPLUS_SHARE = 1000;
const SURPLUS_WIDTH_MIN_PATOSHIS = 1000;
/** More PSL will never exist; above it an amount would not fit a float field with five decimals either. */
const TOTAL_MAX_PATOSHIS = 21_000_000_000 * PATOSHIS_PER_PSL;

/** Credits times price, exactly. Prices have one decimal (credit-packs spec 6). Undefined where nobody could ever pay it. */
export function basePatoshisOf(credits: number, pricePerCredit: number): number | undefined {
  const patoshis = credits * Math.round(pricePerCredit * 10) * (PATOSHIS_PER_PSL / 10);
  return Number.isSafeInteger(patoshis) && patoshis > 0 && patoshis <= TOTAL_MAX_PATOSHIS ? patoshis : undefined;
}

/** How many different surpluses a total may get, in patoshis: 0 <= surplus < width. */
export const surplusWidthOf = (basePatoshis: number): number =>
  Math.max(SURPLUS_WIDTH_MIN_PATOSHIS, Math.floor(basePatoshis / SURPLUS_SHARE));

/** Limits that only the request itself decides (credit-packs spec 4.2). */
export function requestFaults(request: CreditPackPurchaseRequest, limits: { creditsMin: number; creditsMax: number }): string[] {
  const faults: string[] = [];
  const asked = request.requested_initial_credits_in_credit_pack;
  const { creditsMin: min, creditsMax: max } = limits;
  if (asked.value > max)
    faults.push(
      `Requested initial credits in credit pack exceeds the maximum of ${max} credits allowed in a single credit pack!`,
    );
  else if (asked.value < min)
    faults.push(`Requested initial credits in credit pack must be greater than or equal to ${min} credits!`);
  if (wholeCreditsOf(request) === undefined)
    faults.push(`Requested initial credits in credit pack must be a whole number, not ${asked.text}`);
  if (!authorisedPastelIds(request))
    faults.push('list_of_authorized_pastelids_allowed_to_use_credit_pack must be a JSON list of PastelIDs');
  return faults;
}

/** @param requestHash of the purchase that the address belongs to */
export const addressTakenText = (address: string, requestHash: string): string =>
  `The specified credit tracking address of ${address} has already been used for a credit pack purchase ` +
  `(with sha3-256 hash of credit request fields of ${requestHash})`;

/** A quote response may repeat the quote and nothing else: credits, price, address and buyer are the quote's (W13). */
export function quoteResponseFaults(
  answer: CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
  quote: CreditPackPurchaseRequestPreliminaryPriceQuote,
  buyer: string,
): string[] {
  const faults: string[] = [];
  const same = (field: string, theirs: unknown, ours: unknown): void => {
    if (theirs !== ours) faults.push(`${field} is not that of the quote`);
  };
  same('requesting_end_user_pastelid', answer.requesting_end_user_pastelid, buyer);
  same(
    'sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields',
    answer.sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields,
    quote.sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields,
  );
  same(
    'credit_pack_purchase_request_fields_json_b64',
    answer.credit_pack_purchase_request_fields_json_b64,
    quote.credit_pack_purchase_request_fields_json_b64,
  );
  same('credit_usage_tracking_psl_address', answer.credit_usage_tracking_psl_address, quote.credit_usage_tracking_psl_address);
  same(
    'preliminary_quoted_price_per_credit_in_psl',
    answer.preliminary_quoted_price_per_credit_in_psl.value,
    quote.preliminary_quoted_price_per_credit_in_psl.value,
  );
  return faults;
}
