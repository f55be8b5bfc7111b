import type { InferenceAPIOutputResult, InferenceAPIUsageRequest, InferenceAPIUsageResponse, Json } from '#protocol';
import { SupernodeRefused, SupernodeUntrustworthy } from './errors.js';
import { outputIn, unservedIn, type Unserved } from './inference.rules.js';
import { requestIn, responseIn, type InferenceState } from './inference-state.js';
import { isSupernodeTrouble, waitUntil, type UserSide } from './side.js';
import { SupernodeClient } from './supernode-client.js';

export interface InferenceOutcome {
  readonly request: InferenceAPIUsageRequest;
  readonly response: InferenceAPIUsageResponse;
  readonly result: InferenceAPIOutputResult;
  /** The decoded result. */
  readonly output: Json;
  /** Where the supernode could not serve what was paid. */
  readonly unserved?: Unserved;
  readonly costTenths: number;
  /** Absent where a credit note paid. */
  readonly burnTxid?: string;
  readonly supernodePastelId: string;
  readonly supernodeUrl: string;
}
export type PaidInference = InferenceState & { readonly burnTxid: string };

const CALL_TIMEOUT_MS = 60_000;
const CONFIRM_TIMEOUT_MS = 240_000;
const CONFIRM_TRIES_MAX = 12;
const RESULT_TIMEOUT_MS = 20 * 60_000;
const FETCH_TIMEOUT_MS = 120_000;

/**
 * From the burn to the result.
 * 1. The supernode is told of the burn until it has heard.
 * 2. Waits for the result, fetches it, checks hash, signature and signer, and decodes it.
 */
export async function completeInference(
  side: UserSide,
  state: PaidInference,
  timeoutMs = RESULT_TIMEOUT_MS,
): Promise<InferenceOutcome> {
  const [request, response] = [requestIn(state), responseIn(state)];
  const { supernodeUrl: url, supernodePastelId: pastelId } = state;
  const client = new SupernodeClient({ url, signing: side.signing, checking: side.checking, timeoutMs: CALL_TIMEOUT_MS });
  await confirm(side, client, request, state.burnTxid);
  const served = { request, response, costTenths: state.patoshis, supernodePastelId: pastelId, supernodeUrl: url };
  return { ...(await fetchOutcome(side, client, served, timeoutMs)), burnTxid: state.burnTxid };
}

/** Waits for the result of a request that is paid, fetches it, checks hash, signature and signer, and decodes it. */
export async function fetchOutcome(
  side: UserSide,
  client: SupernodeClient,
  paid: Omit<InferenceOutcome, 'result' | 'output' | 'unserved' | 'burnTxid'>,
  timeoutMs = RESULT_TIMEOUT_MS,
): Promise<InferenceOutcome> {
  const { request, response, supernodePastelId: pastelId, supernodeUrl: url } = paid;
  const id = response.inference_response_id;
  const hint = `The request is ${request.inference_request_id}, its response ${id} at ${url}; credits that are not served are owed by a signed credit note.`;
  const patience = { what: 'the result', timeoutMs, everyMs: 1_000, everyMsMax: 15_000, growth: 1.2, hint };
  await waitUntil(side, patience, () => client.isResultReady(id).catch(notYet));
  const result = await waitUntil(side, { ...patience, what: 'the result to arrive', timeoutMs: FETCH_TIMEOUT_MS }, () =>
    client.result(id, { expectedSigner: pastelId, timeoutMs: FETCH_TIMEOUT_MS }).catch(notNow),
  );
  if (result.inference_response_id !== id || result.inference_request_id !== request.inference_request_id) {
    throw new SupernodeUntrustworthy(url, 'retrieve_inference_output_results', ['the result is that of another request']);
  }
  const output = outputIn(result);
  const failure = unservedIn(result, output);
  side.report?.({
    step: 'result',
    text: failure ? `The supernode could not serve it: ${failure.message}` : 'The result is here; hash and signature are good',
  });
  return { ...paid, result, output, ...(failure && { unserved: failure }) };
}

async function confirm(side: UserSide, client: SupernodeClient, request: InferenceAPIUsageRequest, txid: string): Promise<void> {
  const confirmation = {
    inference_request_id: request.inference_request_id,
    requesting_pastelid: side.signing.pastelId,
    confirmation_transaction: { txid },
  };
  let wait = 1_000;
  for (let attempt = 1; ; attempt++) {
    try {
      await client.confirmInference(confirmation, { timeoutMs: CONFIRM_TIMEOUT_MS });
      side.report?.({ step: 'confirmation', text: `${client.url} knows of the burn`, waitsFor: 'the result' });
      return;
    } catch (error) {
      const isFinal = error instanceof SupernodeRefused && error.status < 429;
      if (!isSupernodeTrouble(error) || isFinal || attempt >= CONFIRM_TRIES_MAX) throw error;
      side.report?.({ step: 'confirmation', text: error.message, waitsFor: 'another try with the same burn' });
      await side.clock.wait(wait);
      wait = Math.min(wait * 1.6, 30_000);
    }
  }
}

function notYet(error: unknown): false {
  if (isSupernodeTrouble(error)) return false;
  throw error;
}
function notNow(error: unknown): false {
  if (error instanceof SupernodeRefused && error.isPassing) return false;
  throw error;
}
