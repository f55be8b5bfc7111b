import { byDistanceToHashedMerkleRoot, composeTicket, CREDIT_PACK_TICKET_SUBTYPE, CreditPackPurchaseRequest, CreditPackPurchaseRequestConfirmation, CreditPackPurchaseRequestConfirmationResponse, CreditPackPurchaseRequestPreliminaryPriceQuote, CreditPackPurchaseRequestPreliminaryPriceQuoteResponse, CreditPackPurchaseRequestRejection, CreditPackPurchaseRequestResponse, CreditPackPurchaseRequestStatus, CreditPackStorageRetryRequest, CreditPackStorageRetryRequestResponse, encodeBase64, InferenceAPIOutputResult, InferenceAPIUsageRequest, InferenceAPIUsageResponse, PythonNumber, pythonTimestamp, received, requestFieldsBase64, seal, toJson, type Draft, type JsonObject, type Signing } from '#protocol'; // prettier-ignore
import type { FakeChain, FakeLedger } from './fake-network.spec-suite.js';
import { serve, type FakeCall, type Routes } from './fake-server.spec-suite.js';

const UUID = '6f1c1f0e-8c1b-4a53-9d55-0a5b1f1d2c3e';
const VERSION = '1.0';

/** What supernodes tell each other. */
export interface WhatIsTold {
  /** By the hash of the offer. */
  readonly offers: Map<string, CreditPackPurchaseRequestResponse>;
  readonly confirmations: Map<string, CreditPackPurchaseRequestConfirmation>;
  inference?: { readonly response: InferenceAPIUsageResponse; readonly result: InferenceAPIOutputResult };
}

/** What a test bends. Each gets the honest draft. */
export interface Lies {
  quote?(draft: Draft<CreditPackPurchaseRequestPreliminaryPriceQuote>): object;
  offer?(draft: Draft<CreditPackPurchaseRequestResponse>): object;
  usage?(draft: Draft<InferenceAPIUsageResponse>): object;
  result?(draft: Draft<InferenceAPIOutputResult>): object;
  rejects?: string;
  /** What confirm answers, in turn, before it works. */
  confirmTrouble?: ((call: FakeCall) => ReturnType<Routes[string]>)[];
  /** What the retrieval of the result answers, in turn, before it works. */
  resultTrouble?: ReturnType<Routes[string]>[];
  /** The reason of a signed failure. */
  confirmFails?: string;
  output?: unknown;
}

/** One supernode over HTTP that sells to whoever has burned and serves text at two credits. */
export async function fakeSupernode(
  own: Signing,
  peers: readonly Signing[],
  ledger: FakeLedger,
  chain: FakeChain,
  told: WhatIsTold,
  lies: Lies = {},
) {
  const seen = {
    requests: [] as CreditPackPurchaseRequest[],
    declined: 0,
    confirmations: [] as string[],
    announced: 0,
    retries: 0,
    usage: [] as InferenceAPIUsageRequest[],
    usageBurns: [] as string[],
  };
  let offer: CreditPackPurchaseRequestResponse | undefined;
  let quote: CreditPackPurchaseRequestPreliminaryPriceQuote | undefined;
  let ticketTxid = '';
  let response: InferenceAPIUsageResponse | undefined;
  let result: InferenceAPIOutputResult | undefined;
  const now = (): string => pythonTimestamp(new Date(ledger.now));
  const part = <M extends object>(type: new () => M, { body }: FakeCall, key: string): M =>
    received(type, body[key] as JsonObject);

  async function sell(call: FakeCall): Promise<object> {
    const request = part(CreditPackPurchaseRequest, call, 'credit_pack_request');
    seen.requests.push(request);
    const common = {
      sha3_256_hash_of_credit_pack_purchase_request_fields: request.sha3_256_hash_of_credit_pack_purchase_request_fields,
      credit_pack_purchase_request_fields_json_b64: requestFieldsBase64(request),
      responding_supernode_pastelid: own.pastelId,
    };
    if (lies.rejects !== undefined) {
      return seal(
        CreditPackPurchaseRequestRejection,
        {
          ...common,
          rejection_reason_string: lies.rejects,
          rejection_timestamp_utc_iso_string: now(),
          rejection_pastel_block_height: ledger.height,
          credit_purchase_request_rejection_message_version_string: VERSION,
        },
        own,
      );
    }
    const draft = {
      ...common,
      credit_usage_tracking_psl_address: request.credit_usage_tracking_psl_address,
      preliminary_quoted_price_per_credit_in_psl: PythonNumber.float(24),
      preliminary_total_cost_of_credit_pack_in_psl: PythonNumber.float(
        24 * request.requested_initial_credits_in_credit_pack.value + 0.00777,
      ),
      preliminary_price_quote_timestamp_utc_iso_string: now(),
      preliminary_price_quote_pastel_block_height: ledger.height,
      preliminary_price_quote_message_version_string: VERSION,
    };
    quote = await seal(CreditPackPurchaseRequestPreliminaryPriceQuote, { ...draft, ...lies.quote?.(draft) }, own);
    return quote;
  }

  async function offered(call: FakeCall): Promise<object> {
    const answer = part(CreditPackPurchaseRequestPreliminaryPriceQuoteResponse, call, 'preliminary_price_quote_response');
    if (!answer.agree_with_preliminary_price_quote) {
      seen.declined++;
      return { status: 400, text: '{"detail":"End user does not agree with preliminary price quote"}' };
    }
    const base64 = answer.credit_pack_purchase_request_fields_json_b64;
    const block = (await chain.block(ledger.height))!;
    const ids = peers.map(({ pastelId }) => pastelId);
    const votes = await Promise.all(
      peers.map(
        async (peer) =>
          [
            peer.pastelId,
            {
              price_agreement_request_response_hash_signature: await peer.sign('vote'),
              credit_pack_purchase_request_fields_json_b64_signature: await peer.sign(base64),
            },
          ] as const,
      ),
    );
    const draft = {
      id: UUID,
      sha3_256_hash_of_credit_pack_purchase_request_fields: answer.sha3_256_hash_of_credit_pack_purchase_request_fields,
      credit_pack_purchase_request_fields_json_b64: base64,
      psl_cost_per_credit: answer.preliminary_quoted_price_per_credit_in_psl,
      proposed_total_cost_of_credit_pack_in_psl: quote!.preliminary_total_cost_of_credit_pack_in_psl,
      credit_usage_tracking_psl_address: answer.credit_usage_tracking_psl_address,
      request_response_timestamp_utc_iso_string: now(),
      request_response_pastel_block_height: ledger.height,
      best_block_merkle_root: block.merkleRoot,
      best_block_height: block.height,
      credit_purchase_request_response_message_version_string: VERSION,
      responding_supernode_pastelid: own.pastelId,
      list_of_blacklisted_supernode_pastelids: [],
      list_of_potentially_agreeing_supernodes: ids,
      list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms: ids,
      list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion:
        byDistanceToHashedMerkleRoot(block.merkleRoot, ids).slice(0, 10),
      selected_agreeing_supernodes_signatures_dict: Object.fromEntries(votes),
    };
    offer = await seal(CreditPackPurchaseRequestResponse, { ...draft, ...lies.offer?.(draft) }, own);
    told.offers.set(offer.sha3_256_hash_of_credit_pack_purchase_request_response_fields, offer);
    return offer;
  }

  async function confirmed(call: FakeCall) {
    const confirmation = part(CreditPackPurchaseRequestConfirmation, call, 'confirmation');
    seen.confirmations.push(confirmation.sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields);
    const trouble = lies.confirmTrouble?.shift();
    if (trouble) return trouble(call);
    if (lies.confirmFails === undefined) await store(confirmation);
    return seal(
      CreditPackPurchaseRequestConfirmationResponse,
      {
        id: UUID,
        sha3_256_hash_of_credit_pack_purchase_request_fields: confirmation.sha3_256_hash_of_credit_pack_purchase_request_fields,
        sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields:
          confirmation.sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields,
        credit_pack_confirmation_outcome_string: lies.confirmFails === undefined ? 'success' : 'failure',
        pastel_api_credit_pack_ticket_registration_txid: ticketTxid,
        credit_pack_confirmation_failure_reason_if_applicable: lies.confirmFails ?? '',
        credit_purchase_request_confirmation_response_utc_iso_string: now(),
        credit_purchase_request_confirmation_response_pastel_block_height: ledger.height,
        credit_purchase_request_confirmation_response_message_version_string: VERSION,
        responding_supernode_pastelid: own.pastelId,
      },
      own,
    );
  }
  async function store(confirmation: CreditPackPurchaseRequestConfirmation): Promise<void> {
    const sold = told.offers.get(confirmation.sha3_256_hash_of_credit_pack_purchase_request_response_fields)!;
    const { json, fullyParsedHash } = composeTicket(sold, confirmation);
    ticketTxid = (
      await chain.registerContractTicket({ data: json, subType: CREDIT_PACK_TICKET_SUBTYPE, secondaryKey: fullyParsedHash })
    ).txid;
  }

  const status = (): Promise<object> =>
    seal(CreditPackPurchaseRequestStatus, { id: UUID, sha3_256_hash_of_credit_pack_purchase_request_fields: offer!.sha3_256_hash_of_credit_pack_purchase_request_fields, sha3_256_hash_of_credit_pack_purchase_request_response_fields: offer!.sha3_256_hash_of_credit_pack_purchase_request_response_fields, status: ticketTxid === '' ? 'failed' : 'completed', status_details: 'd', status_update_timestamp_utc_iso_string: now(), status_update_pastel_block_height: ledger.height, credit_purchase_request_status_message_version_string: VERSION, responding_supernode_pastelid: own.pastelId }, own); // prettier-ignore

  async function retried(call: FakeCall): Promise<object> {
    seen.retries++;
    const request = part(CreditPackStorageRetryRequest, call, 'request');
    const kept = told.confirmations.get(request.sha3_256_hash_of_credit_pack_purchase_request_response_fields)!;
    await store(kept);
    return seal(CreditPackStorageRetryRequestResponse, { sha3_256_hash_of_credit_pack_purchase_request_fields: kept.sha3_256_hash_of_credit_pack_purchase_request_fields, sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields: kept.sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields, credit_pack_storage_retry_confirmation_outcome_string: 'success', pastel_api_credit_pack_ticket_registration_txid: ticketTxid, credit_pack_storage_retry_confirmation_failure_reason_if_applicable: 'NA', credit_pack_storage_retry_confirmation_response_utc_iso_string: now(), credit_pack_storage_retry_confirmation_response_pastel_block_height: ledger.height, credit_pack_storage_retry_confirmation_response_message_version_string: VERSION, closest_agreeing_supernode_to_retry_storage_pastelid: own.pastelId }, own); // prettier-ignore
  }

  async function quoted(call: FakeCall): Promise<object> {
    const request = part(InferenceAPIUsageRequest, call, 'inference_api_usage_request');
    seen.usage.push(request);
    const draft = {
      id: UUID,
      inference_response_id: UUID,
      inference_request_id: request.inference_request_id,
      proposed_cost_of_request_in_inference_credits: PythonNumber.float(2),
      remaining_credits_in_pack_after_request_processed: PythonNumber.float(1498),
      credit_usage_tracking_psl_address: trackingAddress(),
      request_confirmation_message_amount_in_patoshis: 20,
      max_block_height_to_include_confirmation_transaction: ledger.height + 10,
      inference_request_response_utc_iso_string: now(),
      inference_request_response_pastel_block_height: ledger.height,
      inference_request_response_message_version_string: VERSION,
    };
    response = await seal(InferenceAPIUsageResponse, { ...draft, ...lies.usage?.(draft) }, own);
    return response;
  }
  const trackingAddress = (): string => {
    const data = ledger.tickets[0]!.data as {
      ticket_input_data_dict: { credit_pack_purchase_request_response_dict: { credit_usage_tracking_psl_address: string } };
    };
    return data.ticket_input_data_dict.credit_pack_purchase_request_response_dict.credit_usage_tracking_psl_address;
  };
  async function ran(call: FakeCall): Promise<object> {
    const confirmation = call.body['inference_confirmation'] as { confirmation_transaction: { txid: string } };
    seen.usageBurns.push(confirmation.confirmation_transaction.txid);
    const draft = { id: UUID, inference_result_id: UUID, inference_request_id: response!.inference_request_id, inference_response_id: UUID, responding_supernode_pastelid: own.pastelId, inference_result_json_base64: encodeBase64(JSON.stringify(lies.output ?? 'an answer that is long enough to be cut')), inference_result_file_type_strings: '{"output_text": "json", "output_files": ["NA"]}', inference_result_utc_iso_string: now(), inference_result_pastel_block_height: ledger.height, inference_result_message_version_string: VERSION }; // prettier-ignore
    result = await seal(InferenceAPIOutputResult, { ...draft, ...lies.result?.(draft) }, own);
    told.inference = { response: response!, result };
    return call.body['inference_confirmation'] as object;
  }
  let polls = 0;
  const server = await serve({
    'GET /request_challenge/': () => ({ challenge: UUID, challenge_id: UUID }),
    'GET /': ({ path }) => (path === '/' ? {} : { status: 404, text: '{"detail":"Not Found"}' }),
    'GET /liveness_ping': () => ({ status: 'alive' }),
    'GET /get_inference_model_menu': () => ({
      models: [
        {
          model_name: 'sandbox',
          supported_inference_type_strings: ['text_completion'],
          model_parameters: [
            {
              name: 'temperature',
              type: 'float',
              default: null,
              description: '',
              inference_types_parameter_applies_to: ['text_completion'],
            },
          ],
        },
      ],
    }),
    'POST /credit_purchase_initial_request': sell,
    'POST /credit_purchase_preliminary_price_quote_response': offered,
    'POST /confirm_credit_purchase_request': confirmed,
    'POST /check_status_of_credit_purchase_request': status,
    'POST /credit_pack_purchase_completion_announcement': (call) => {
      seen.announced++;
      const confirmation = part(CreditPackPurchaseRequestConfirmation, call, 'confirmation');
      told.confirmations.set(confirmation.sha3_256_hash_of_credit_pack_purchase_request_response_fields, confirmation);
      return { message: 'Announcement processed successfully' };
    },
    'POST /credit_pack_storage_retry_request': retried,
    'POST /make_inference_api_usage_request': quoted,
    'POST /confirm_inference_request': ran,
    'GET /check_status_of_inference_request_results/': () => ++polls > 2 && result !== undefined,
    'POST /retrieve_inference_output_results': () => lies.resultTrouble?.shift() ?? toJson(result!),
    'POST /audit_inference_request_response': () => toJson(told.inference!.response),
    'POST /audit_inference_request_result': () => ({
      ...toJson(told.inference!.result),
      inference_result_json_base64: told.inference!.result.inference_result_json_base64.slice(0, 32),
    }),
  });
  return { ...server, pastelId: own.pastelId, seen };
}
