export type Wire = Record<string, unknown>;
type Rule = (value: unknown) => boolean;

/** Joi's texts are not empty unless it is allowed. */
const text: Rule = (value) => typeof value === 'string' && value !== '';
const anyText: Rule = (value) => typeof value === 'string';
const number: Rule = (value) => typeof value === 'number' && Number.isFinite(value);
const integer: Rule = (value) => Number.isSafeInteger(value);
export const isUuid4: Rule = (value) =>
  typeof value === 'string' && /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(value);
/** What is truthy is turned to text before it is looked at. */
const turnedToText: Rule = (value) => Boolean(value);

const all = (rule: Rule, ...names: string[]): Record<string, Rule> => Object.fromEntries(names.map((name) => [name, rule]));

/** A reply with an unknown key, without a known one, or with a value that its rule refuses, is an error; `id` goes first where the client drops it. */
export function closed(what: string, reply: Wire, rules: Record<string, Rule>): Wire {
  const wire = { ...reply };
  if (!('id' in rules)) {
    if (what === 'rejection' || what === 'termination' || what === 'quote') {
      if ('id' in wire) throw new Error(`${what}: "id" is not allowed`);
    } else delete wire['id'];
  }
  for (const name of Object.keys(wire)) if (!(name in rules)) throw new Error(`${what}: "${name}" is not allowed`);
  for (const [name, rule] of Object.entries(rules)) {
    if (!rule(wire[name])) throw new Error(`${what}: "${name}" is refused: ${JSON.stringify(wire[name])}`);
  }
  return wire;
}

const requestHash = 'sha3_256_hash_of_credit_pack_purchase_request_fields';
const requestBase64 = 'credit_pack_purchase_request_fields_json_b64';

/** The client's schemas of what it receives (clients spec 3 and 5). */
export const schemas = {
  quote: {
    ...all(
      text,
      requestHash,
      requestBase64,
      'credit_usage_tracking_psl_address',
      'preliminary_price_quote_timestamp_utc_iso_string',
      'preliminary_price_quote_message_version_string',
      'responding_supernode_pastelid',
      'sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields',
      'responding_supernode_signature_on_credit_pack_purchase_request_preliminary_price_quote_hash',
    ),
    ...all(number, 'preliminary_quoted_price_per_credit_in_psl', 'preliminary_total_cost_of_credit_pack_in_psl'),
    ...all(integer, 'preliminary_price_quote_pastel_block_height'),
  },
  rejection: {
    ...all(
      text,
      requestHash,
      requestBase64,
      'rejection_reason_string',
      'rejection_timestamp_utc_iso_string',
      'credit_purchase_request_rejection_message_version_string',
      'responding_supernode_pastelid',
      'sha3_256_hash_of_credit_pack_purchase_request_rejection_fields',
      'responding_supernode_signature_on_credit_pack_purchase_request_rejection_hash',
    ),
    ...all(integer, 'rejection_pastel_block_height'),
  },
  termination: {
    ...all(
      text,
      requestHash,
      requestBase64,
      'termination_reason_string',
      'termination_timestamp_utc_iso_string',
      'credit_purchase_request_termination_message_version_string',
      'responding_supernode_pastelid',
      'sha3_256_hash_of_credit_pack_purchase_request_termination_fields',
      'responding_supernode_signature_on_credit_pack_purchase_request_termination_hash',
    ),
    ...all(integer, 'termination_pastel_block_height'),
  },
  response: {
    id: isUuid4,
    ...all(
      text,
      requestHash,
      requestBase64,
      'credit_usage_tracking_psl_address',
      'request_response_timestamp_utc_iso_string',
      'best_block_merkle_root',
      'credit_purchase_request_response_message_version_string',
      'responding_supernode_pastelid',
      'sha3_256_hash_of_credit_pack_purchase_request_response_fields',
      'responding_supernode_signature_on_credit_pack_purchase_request_response_hash',
    ),
    ...all(number, 'psl_cost_per_credit', 'proposed_total_cost_of_credit_pack_in_psl'),
    ...all(integer, 'request_response_pastel_block_height', 'best_block_height'),
    ...all(
      turnedToText,
      'list_of_blacklisted_supernode_pastelids',
      'list_of_potentially_agreeing_supernodes',
      'list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms',
      'list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion',
      'selected_agreeing_supernodes_signatures_dict',
    ),
  },
  confirmationResponse: {
    id: isUuid4,
    ...all(
      text,
      requestHash,
      'sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields',
      'credit_pack_confirmation_outcome_string',
      'pastel_api_credit_pack_ticket_registration_txid',
      'credit_purchase_request_confirmation_response_utc_iso_string',
      'credit_purchase_request_confirmation_response_message_version_string',
      'responding_supernode_pastelid',
      'sha3_256_hash_of_credit_pack_purchase_request_confirmation_response_fields',
      'responding_supernode_signature_on_credit_pack_purchase_request_confirmation_response_hash',
    ),
    ...all(anyText, 'credit_pack_confirmation_failure_reason_if_applicable'),
    ...all(integer, 'credit_purchase_request_confirmation_response_pastel_block_height'),
  },
  status: {
    ...all(
      text,
      requestHash,
      'sha3_256_hash_of_credit_pack_purchase_request_response_fields',
      'status',
      'status_details',
      'status_update_timestamp_utc_iso_string',
      'credit_purchase_request_status_message_version_string',
      'responding_supernode_pastelid',
      'sha3_256_hash_of_credit_pack_purchase_request_status_fields',
      'responding_supernode_signature_on_credit_pack_purchase_request_status_hash',
    ),
    ...all(integer, 'status_update_pastel_block_height'),
  },
  inferenceResponse: {
    ...all(
      text,
      'inference_response_id',
      'inference_request_id',
      'credit_usage_tracking_psl_address',
      'inference_request_response_utc_iso_string',
      'inference_request_response_message_version_string',
      'sha3_256_hash_of_inference_request_response_fields',
      'supernode_pastelid_and_signature_on_inference_request_response_hash',
    ),
    ...all(number, 'proposed_cost_of_request_in_inference_credits', 'remaining_credits_in_pack_after_request_processed'),
    ...all(
      integer,
      'request_confirmation_message_amount_in_patoshis',
      'max_block_height_to_include_confirmation_transaction',
      'inference_request_response_pastel_block_height',
    ),
  },
  inferenceResult: {
    ...all(
      text,
      'inference_result_id',
      'inference_request_id',
      'inference_response_id',
      'responding_supernode_pastelid',
      'inference_result_json_base64',
      'inference_result_file_type_strings',
      'inference_result_utc_iso_string',
      'inference_result_message_version_string',
      'sha3_256_hash_of_inference_result_fields',
      'responding_supernode_signature_on_inference_result_id',
    ),
    ...all(integer, 'inference_result_pastel_block_height'),
  },
} as const satisfies Record<string, Record<string, Rule>>;
