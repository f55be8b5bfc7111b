import {
  byDistanceToHashedMerkleRoot,
  PATOSHIS_PER_PSL,
  requestFieldsBase64,
  type CreditPackPurchaseRequest,
  type CreditPackPurchaseRequestPreliminaryPriceQuote,
  type CreditPackPurchaseRequestResponse,
  type PythonNumber,
} from '#protocol';

/** Signatures that a ticket carries (credit-packs spec 5.5). */
const SIGNERS_MAX = 10;
/** What every later check of a ticket demands of its votes (5.11, shipped values): share of the peers not blacklisted, share of those asked. */
const QUORUM = 0.51;
const MAJORITY = 0.65;
/** The random surplus by which a burn is known: at most a thousandth of the total, or 1,000 patoshis. */
const SURPLUS_SHARE_MAX = 0.001;
const SURPLUS_PATOSHIS = 1_000;
/** How far the offer's block may be from its height (5.11). */
const BLOCKS_MAX = 10;

/** Patoshis of an amount in PSL; the original's totals are not rounded, so they may carry binary dust. */
export const roundedPatoshis = (psl: PythonNumber): number => Math.round(psl.value * PATOSHIS_PER_PSL);

/** Why a quote is not one for this request. Its hash, signature and signer are checked already. */
export function quoteFaults(quote: CreditPackPurchaseRequestPreliminaryPriceQuote, request: CreditPackPurchaseRequest): string[] {
  const [price, total] = [
    roundedPatoshis(quote.preliminary_quoted_price_per_credit_in_psl),
    roundedPatoshis(quote.preliminary_total_cost_of_credit_pack_in_psl),
  ];
  const net = price * request.requested_initial_credits_in_credit_pack.value;
  return faults([
    [
      quote.sha3_256_hash_of_credit_pack_purchase_request_fields === request.sha3_256_hash_of_credit_pack_purchase_request_fields,
      'the quote is for another request',
    ],
    [
      quote.credit_pack_purchase_request_fields_json_b64 === requestFieldsBase64(request),
      'the quote repeats the request wrongly',
    ],
    [
      quote.credit_usage_tracking_psl_address === request.credit_usage_tracking_psl_address,
      'the quote names another tracking address',
    ],
    [price > 0, 'the price is not positive'],
    [
      total >= net - 1 && total <= net + Math.max(net * SURPLUS_SHARE_MAX, SURPLUS_PATOSHIS) + 1,
      'the total is not the price of so many credits',
    ],
  ]);
}

export interface OfferContext {
  readonly request: CreditPackPurchaseRequest;
  readonly quote: CreditPackPurchaseRequestPreliminaryPriceQuote;
  /** PastelIDs of the supernode list. */
  readonly listed: ReadonlySet<string>;
  /** Merkle root of the block that the offer names, as our own node has it. */
  readonly merkleRoot: string | undefined;
}

/** Why paying this offer would be unwise: it differs from the quote, or its ticket would not stand later checks (credit-packs spec 5.11). */
export function offerFaults(
  offer: CreditPackPurchaseRequestResponse,
  { request, quote, listed, merkleRoot }: OfferContext,
): string[] {
  const asked = offer.list_of_potentially_agreeing_supernodes;
  const agreeing = offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms;
  const selected = offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion;
  const blacklisted = offer.list_of_blacklisted_supernode_pastelids;
  const expected = byDistanceToHashedMerkleRoot(offer.best_block_merkle_root, agreeing).slice(0, SIGNERS_MAX);
  return faults([
    [
      offer.sha3_256_hash_of_credit_pack_purchase_request_fields === request.sha3_256_hash_of_credit_pack_purchase_request_fields,
      'the offer is for another request',
    ],
    [
      offer.credit_pack_purchase_request_fields_json_b64 === requestFieldsBase64(request),
      'the offer repeats the request wrongly',
    ],
    [
      offer.credit_usage_tracking_psl_address === request.credit_usage_tracking_psl_address,
      'the offer names another tracking address',
    ],
    [offer.psl_cost_per_credit.equals(quote.preliminary_quoted_price_per_credit_in_psl), 'the price is not that of the quote'],
    [
      roundedPatoshis(offer.proposed_total_cost_of_credit_pack_in_psl) ===
        roundedPatoshis(quote.preliminary_total_cost_of_credit_pack_in_psl),
      'the total is not that of the quote',
    ],
    [offer.best_block_merkle_root === merkleRoot, 'the merkle root is not that of its block'],
    [
      Math.abs(offer.request_response_pastel_block_height - offer.best_block_height) <= BLOCKS_MAX,
      'its block is too far from its height',
    ],
    [isSet(asked) && isSet(agreeing) && isSet(selected), 'a supernode is counted twice'],
    [!agreeing.includes(offer.responding_supernode_pastelid), 'the seller votes for itself'],
    [isWithin(agreeing, new Set(asked)), 'somebody agrees who was not asked'],
    [isWithin(agreeing, listed), 'somebody agrees who is no supernode'],
    [asked.length > 0 && asked.length / (asked.length + blacklisted.length) >= QUORUM, 'too few supernodes were asked'],
    [asked.length > 0 && agreeing.length / asked.length >= MAJORITY, 'too few supernodes agree'],
    [
      selected.length === expected.length && isWithin(selected, new Set(expected)),
      'the signers are not those that the block selects',
    ],
    [selected.every((pastelId) => voteSignature(offer, pastelId) !== undefined), 'the signature of a vote is missing'],
  ]);
}

/** Over the request's base64 text, by the supernode that agrees. */
export const voteSignature = (offer: CreditPackPurchaseRequestResponse, pastelId: string): string | undefined =>
  offer.selected_agreeing_supernodes_signatures_dict[pastelId]?.['credit_pack_purchase_request_fields_json_b64_signature'];

const faults = (checks: readonly (readonly [good: boolean, fault: string])[]): string[] =>
  checks.flatMap(([good, fault]) => (good ? [] : [fault]));
const isSet = (items: readonly string[]): boolean => new Set(items).size === items.length;
const isWithin = (items: readonly string[], all: ReadonlySet<string>): boolean => items.every((item) => all.has(item));
