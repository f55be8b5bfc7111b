import {
  decodeBase64Text,
  patoshisFromPsl,
  pythonRound,
  requestInFields,
  sha3,
  type CreditPackPurchaseRequest,
  type CreditPackPurchaseRequestConfirmation,
  type CreditPackPurchaseRequestConfirmationResponse,
  type CreditPackPurchaseRequestResponse,
} from '#protocol';

const B64 = 'credit_pack_purchase_request_fields_json_b64';

/** The request that was copied into a message which does not name its hash. */
export function copiedRequest(b64: string): CreditPackPurchaseRequest | undefined {
  const text = decodeBase64Text(b64);
  return text === undefined ? undefined : requestInFields(b64, sha3(text));
}

/** Why a copied request is none, or not the one that the address beside it belongs to. */
export function copiedRequestFaults(request: CreditPackPurchaseRequest | undefined, trackingAddress: string): string[] {
  if (!request) return [`${B64} holds no credit pack purchase request`];
  return request.credit_usage_tracking_psl_address === trackingAddress
    ? []
    : ['credit_usage_tracking_psl_address is not that of the request'];
}

/** What an announced 2.8 is about, as far as it is needed to recognise its burn; undefined where it cannot be read. */
export function announcedTerms(
  response: CreditPackPurchaseRequestResponse,
): { readonly pastelId: string; readonly totalPatoshis: number } | undefined {
  const request = requestInFields(
    response.credit_pack_purchase_request_fields_json_b64,
    response.sha3_256_hash_of_credit_pack_purchase_request_fields,
  );
  const totalPatoshis = patoshisFromPsl(pythonRound(response.proposed_total_cost_of_credit_pack_in_psl.value, 5));
  // Nobody can burn nothing, or less.
  if (!request || totalPatoshis === undefined || totalPatoshis <= 0) return undefined;
  return { pastelId: request.requesting_end_user_pastelid, totalPatoshis };
}

/** Why a confirmation does not belong to an offer. */
export function confirmationFaults(
  confirmation: CreditPackPurchaseRequestConfirmation,
  response: CreditPackPurchaseRequestResponse,
  buyer: string,
): string[] {
  const faults: string[] = [];
  const same = (field: string, theirs: unknown, ours: unknown): void => {
    if (theirs !== ours) faults.push(`${field} is not that of the offer`);
  };
  same('requesting_end_user_pastelid', confirmation.requesting_end_user_pastelid, buyer);
  same(
    'sha3_256_hash_of_credit_pack_purchase_request_fields',
    confirmation.sha3_256_hash_of_credit_pack_purchase_request_fields,
    response.sha3_256_hash_of_credit_pack_purchase_request_fields,
  );
  same(
    'sha3_256_hash_of_credit_pack_purchase_request_response_fields',
    confirmation.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
    response.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
  );
  same(B64, confirmation.credit_pack_purchase_request_fields_json_b64, response.credit_pack_purchase_request_fields_json_b64);
  return faults;
}

const OUTCOMES: ReadonlySet<string> = new Set(['success', 'failed', 'failure']);
/** Why a completion does not belong to a supernode's offer. */
export function completionFaults(
  completion: CreditPackPurchaseRequestConfirmationResponse,
  response: CreditPackPurchaseRequestResponse,
): string[] {
  const faults: string[] = [];
  if (completion.responding_supernode_pastelid !== response.responding_supernode_pastelid)
    faults.push('The offer was made by another supernode');
  if (!OUTCOMES.has(completion.credit_pack_confirmation_outcome_string)) faults.push('Unknown outcome');
  if (
    completion.credit_pack_confirmation_outcome_string === 'success' &&
    !/^[0-9a-f]{64}$/.test(completion.pastel_api_credit_pack_ticket_registration_txid)
  )
    faults.push('A success names the transaction of its ticket');
  return faults;
}
