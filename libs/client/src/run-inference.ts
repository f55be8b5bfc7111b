import {
  authorisedPastelIds,
  exchanges,
  InferenceAPIUsageRequest,
  pslText,
  readTicket,
  seal,
  TicketError,
  type InferenceAPIOutputResult,
  type InferenceAPIUsageResponse,
  type Json,
} from '#protocol';
import { burn } from './burn.js';
import { reachableSupernodes, type Candidate, type Choice } from './choice.js';
import { SupernodeRefused, SupernodeUntrustworthy } from './errors.js';
import {
  costTenthsOf,
  inputBase64,
  outputIn,
  parametersBase64,
  unserved,
  unservedIn,
  usageFaults,
  type InferenceWish,
  type Unserved,
} from './inference.rules.js';
import { ClientError, isSupernodeTrouble, stampOf, waitUntil, type UserSide } from './side.js';
import { TXID } from './shapes.js';

export interface InferenceOptions {
  /** Registration txid of the pack that pays. */
  readonly packTxid: string;
  readonly model: string;
  /** `text_completion` where absent. */
  readonly inferenceType?: string;
  readonly input: InferenceWish['input'];
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Most that the request may cost, in tenths of credits; 100 credits where absent. */
  readonly tenthsMax?: number;
  /** Supernodes that are asked for a quote, one after another. */
  readonly supernodesMax?: number;
  /** By reputation where absent. */
  readonly tieBreak?: Choice['tieBreak'];
  readonly timeoutMs?: number;
}
export interface InferenceOutcome {
  readonly request: InferenceAPIUsageRequest;
  readonly response: InferenceAPIUsageResponse;
  readonly result: InferenceAPIOutputResult;
  /** The decoded result. */
  readonly output: Json;
  /** Where the supernode could not serve what was paid. */
  readonly unserved?: Unserved;
  readonly costTenths: number;
  readonly burnTxid: string;
  readonly supernodePastelId: string;
  readonly supernodeUrl: string;
}

const TENTHS_MAX = 1_000;
const SUPERNODES_MAX = 5;
const MENU_TIMEOUT_MS = 5_000;
const QUOTE_TIMEOUT_MS = 60_000;
const RESULT_TIMEOUT_MS = 20 * 60_000;
const CONFIRM_TRIES_MAX = 12;
/** pasteld's fee for a burn with two outputs is a third of this. */
const FEE_PATOSHIS = 1_000;

interface Quoted {
  readonly candidate: Candidate;
  readonly request: InferenceAPIUsageRequest;
  readonly response: InferenceAPIUsageResponse;
  readonly costTenths: number;
}

/**
 * Runs one inference on a credit pack.
 * 1. Reads the pack from the chain: whose it is and its tracking address.
 * 2. Chooses supernodes that answer and offer the model; the first whose quote is right and within the ceiling is paid.
 * 3. Burns the exact patoshis of the cost, change to the tracking address; confirms.
 * 4. Waits for the result, fetches it, checks hash, signature and signer, and decodes it.
 */
export async function runInference(side: UserSide, options: InferenceOptions): Promise<InferenceOutcome> {
  const wish = {
    model: options.model,
    inferenceType: options.inferenceType ?? 'text_completion',
    input: options.input,
    parameters: options.parameters ?? {},
  };
  const trackingAddress = await trackingAddressOf(side, options.packTxid);
  const quoted = await quote(side, options, wish, trackingAddress);
  const burnTxid = await pay(side, quoted, trackingAddress);
  const { request, response, candidate, costTenths } = quoted;
  const { client, pastelId } = candidate;
  await confirm(side, quoted, burnTxid);

  const id = response.inference_response_id;
  const hint = `The request is ${request.inference_request_id}, its response ${id} at ${client.url}; credits that are not served are owed by a signed credit note.`;
  const patience = {
    what: 'the result',
    timeoutMs: options.timeoutMs ?? RESULT_TIMEOUT_MS,
    everyMs: 1_000,
    everyMsMax: 15_000,
    growth: 1.2,
    hint,
  };
  await waitUntil(side, patience, () => client.isResultReady(id).catch(notYet));
  const result = await waitUntil(side, { ...patience, what: 'the result to arrive', timeoutMs: 120_000 }, () =>
    client.result(id, { expectedSigner: pastelId, timeoutMs: 120_000 }),
  );
  if (result.inference_response_id !== id || result.inference_request_id !== request.inference_request_id) {
    throw new SupernodeUntrustworthy(client.url, 'retrieve_inference_output_results', ['the result is that of another request']);
  }
  const output = outputIn(result);
  const failure = unservedIn(result, output);
  side.report?.({
    step: 'result',
    text: failure ? `The supernode could not serve it: ${failure.message}` : 'The result is here; hash and signature are good',
  });
  return {
    request,
    response,
    result,
    output,
    ...(failure && { unserved: failure }),
    costTenths,
    burnTxid,
    supernodePastelId: pastelId,
    supernodeUrl: client.url,
  };
}

/** The chain's word, not a supernode's: the change of the burn goes to this address. */
async function trackingAddressOf(side: UserSide, packTxid: string): Promise<string> {
  const ticket = TXID.test(packTxid) ? await side.chain.contractTicket(packTxid) : undefined;
  if (!ticket)
    throw new ClientError(
      'no-such-pack',
      `There is no credit pack ${packTxid} on the chain`,
      'It goes by its registration txid, as `packs` lists it.',
    );
  try {
    const { request, response } = readTicket(ticket.data);
    if (!authorisedPastelIds(request)?.includes(side.signing.pastelId)) {
      throw new ClientError('not-authorised', `${side.signing.pastelId} may not spend the credit pack ${packTxid}`);
    }
    return response.credit_usage_tracking_psl_address;
  } catch (error) {
    if (error instanceof TicketError) throw new ClientError('no-such-pack', `${packTxid} is no credit pack: ${error.message}`);
    throw error;
  }
}

async function quote(side: UserSide, options: InferenceOptions, wish: InferenceWish, trackingAddress: string): Promise<Quoted> {
  const { supernodesMax = SUPERNODES_MAX, tieBreak = 'reputation' } = options;
  const candidates = await reachableSupernodes(side, { count: supernodesMax, tieBreak });
  const reasons: string[] = [];
  let expensive = 0;
  for (const candidate of candidates) {
    try {
      return await quoteOf(side, candidate, options, wish, trackingAddress);
    } catch (error) {
      const isTheirs = error instanceof ClientError && (error.code === 'not-run' || error.code === 'too-expensive');
      if (!isTheirs && !isSupernodeTrouble(error)) throw error;
      if (isTheirs && error.code === 'too-expensive') expensive++;
      reasons.push(isTheirs ? `${candidate.client.url}: ${error.message}` : error.message);
      side.report?.({ step: 'refused', text: reasons.at(-1)! });
    }
  }
  const code = expensive === candidates.length ? 'too-expensive' : 'not-run';
  throw new ClientError(code, `No supernode runs it. ${[...new Set(reasons)].slice(0, 5).join(' / ')}`, 'Nothing was paid.');
}

async function quoteOf(
  side: UserSide,
  candidate: Candidate,
  options: InferenceOptions,
  wish: InferenceWish,
  trackingAddress: string,
): Promise<Quoted> {
  const { client, pastelId } = candidate;
  const reason = unserved(await client.modelMenu({ timeoutMs: MENU_TIMEOUT_MS }), wish);
  if (reason !== undefined) throw new ClientError('not-run', reason);
  const request = await requestFor(side, options.packTxid, wish);
  const response = await client.exchange(exchanges.usageRequest, request, {
    expectedSigner: pastelId,
    timeoutMs: QUOTE_TIMEOUT_MS,
  });
  const faults = usageFaults(response, request, trackingAddress, await side.chain.height());
  if (faults.length > 0) throw new SupernodeUntrustworthy(client.url, exchanges.usageRequest.path, faults);
  const costTenths = costTenthsOf(response)!;
  const ceiling = options.tenthsMax ?? TENTHS_MAX;
  if (costTenths > ceiling)
    throw new ClientError('too-expensive', `asks ${costTenths / 10} credits, and at most ${ceiling / 10} are allowed`);
  side.report?.({ step: 'quote', text: `${client.url} runs it for ${costTenths / 10} credits` });
  return { candidate, request, response, costTenths };
}

async function requestFor(side: UserSide, packTxid: string, wish: InferenceWish): Promise<InferenceAPIUsageRequest> {
  const { timestamp, height } = await stampOf(side);
  const draft = {
    inference_request_id: side.entropy.uuid(),
    requesting_pastelid: side.signing.pastelId,
    credit_pack_ticket_pastel_txid: packTxid,
    requested_model_canonical_string: wish.model,
    model_inference_type_string: wish.inferenceType,
    model_parameters_json_b64: parametersBase64(wish.parameters),
    model_input_data_json_b64: inputBase64(wish.input),
    inference_request_utc_iso_string: timestamp,
    inference_request_pastel_block_height: height,
    status: 'initiating',
    inference_request_message_version_string: '1.0',
  };
  return seal(InferenceAPIUsageRequest, draft, side.signing);
}

async function pay(side: UserSide, { request, costTenths: patoshis }: Quoted, trackingAddress: string): Promise<string> {
  const held = (await side.wallet.addressAmounts()).get(trackingAddress) ?? 0;
  if (held < patoshis + FEE_PATOSHIS) {
    throw new ClientError(
      'not-enough-coins',
      `The tracking address ${trackingAddress} holds ${pslText(held)} PSL in this wallet, and the request needs ${pslText(patoshis + FEE_PATOSHIS)} PSL with its fee`,
      `Send some PSL to ${trackingAddress}.`,
    );
  }
  const intent = { patoshis, fromHeight: await side.chain.height(), trackingAddress };
  const comment = `Confirmation tracking transaction for inference request with request_id ${request.inference_request_id}`;
  const txid = await burn(side, intent, () =>
    side.wallet.sendMany(new Map([[side.burnAddress, patoshis]]), trackingAddress, comment),
  );
  side.report?.({ step: 'burn', text: `Burned ${pslText(patoshis)} PSL in ${txid}`, patoshis, tenths: patoshis });
  return txid;
}

/** The burn is made: the supernode is told until it has heard. */
async function confirm(side: UserSide, { candidate: { client }, request }: Quoted, txid: string): Promise<void> {
  const confirmation = {
    inference_request_id: request.inference_request_id,
    requesting_pastelid: side.signing.pastelId,
    confirmation_transaction: { txid },
  };
  let wait = 1_000;
  for (let attempt = 1; ; attempt++) {
    try {
      await client.confirmInference(confirmation, { timeoutMs: 240_000 });
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
