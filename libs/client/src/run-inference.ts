import { authorisedPastelIds, exchanges, InferenceAPIUsageRequest, pslText, readTicket, seal, TicketError } from '#protocol';
import { burn, findBurn } from './burn.js';
import { reachableSupernodes, type Candidate, type Choice } from './choice.js';
import { SupernodeRefused, SupernodeUntrustworthy } from './errors.js';
import { completeInference, type InferenceOutcome, type PaidInference } from './inference-completion.js';
import { costTenthsOf, inputBase64, parametersBase64, unserved, usageFaults, type InferenceWish } from './inference.rules.js';
import { paying, type InferenceState, type Quoted } from './inference-state.js';
import { ClientError, isSupernodeTrouble, memoryJournal, stampOf, type Journal, type UserSide } from './side.js';
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
  /** Keeps a request from being paid twice, or paid for nothing, when the program ends in between. */
  readonly journal?: Journal<InferenceState>;
  /** Stores the outcome before the journal forgets the request. */
  readonly keep?: (outcome: InferenceOutcome) => Promise<void>;
}

/** The supernode's word that the burn does not pay for the request. */
const CONFLICT = 409;
const TENTHS_MAX = 1_000;
const SUPERNODES_MAX = 5;
const MENU_TIMEOUT_MS = 5_000;
const QUOTE_TIMEOUT_MS = 60_000;
/** pasteld's fee for a burn with two outputs is a third of this. */
const FEE_PATOSHIS = 1_000;

/**
 * Runs one inference on a credit pack.
 * 1. Takes up a request that was paid and not finished, if the journal has one.
 * 2. Reads the pack from the chain: whose it is and its tracking address.
 * 3. Chooses supernodes that answer and offer the model; the first whose quote is right and within the ceiling is paid.
 * 4. Writes down that it is about to burn, burns the exact patoshis of the cost, change to the tracking address; writes down the transaction.
 * 5. Confirms, waits for the result, fetches and checks it (inference-completion.ts).
 */
export async function runInference(side: UserSide, options: InferenceOptions): Promise<InferenceOutcome> {
  const journal = options.journal ?? memoryJournal<InferenceState>();
  const outcome = await completed(side, options, journal);
  await options.keep?.(outcome);
  await journal.save('user inference: finished', undefined);
  return outcome;
}

async function completed(side: UserSide, options: InferenceOptions, journal: Journal<InferenceState>): Promise<InferenceOutcome> {
  for (;;) {
    const state = (await resumed(side, journal)) ?? (await begun(side, options, journal));
    try {
      return await completeInference(side, state, options.timeoutMs);
    } catch (error) {
      if (!(error instanceof SupernodeRefused) || error.status !== CONFLICT) throw error;
      // Certain: asking again would be refused again.
      if (!state.isFound) {
        // What our own burn is worth is in the supernode's credit note.
        await journal.save('user inference: burn refused', undefined);
        throw error;
      }
      const { burnTxid, isFound: _, ...rest } = state;
      const except = [...(state.except ?? []), burnTxid];
      await journal.save('user inference: found burn refused', { ...rest, except });
    }
  }
}

async function resumed(side: UserSide, journal: Journal<InferenceState>): Promise<PaidInference | undefined> {
  const state = await journal.load();
  if (!state) return undefined;
  if (state.owner !== side.signing.pastelId)
    throw new ClientError('bad-input', `A request of ${state.owner} is not finished`, 'Finish it first, with that PastelID.');
  side.report?.({ step: 'resume', text: 'Taking up a request that was not finished' });
  if (state.burnTxid !== undefined) return { ...state, burnTxid: state.burnTxid };
  const burnTxid = await findBurn(side, state);
  if (burnTxid === undefined) {
    side.report?.({ step: 'resume', text: 'It was never paid; beginning anew' });
    await journal.save('user inference: found unpaid', undefined);
    return undefined;
  }
  const paid = { ...state, burnTxid, isFound: true as const };
  await journal.save('user inference: burn found', paid);
  return paid;
}

async function begun(side: UserSide, options: InferenceOptions, journal: Journal<InferenceState>): Promise<PaidInference> {
  const wish = wishOf(options);
  const trackingAddress = await trackingAddressOf(side, options.packTxid);
  const quoted = await quote(side, options, wish, trackingAddress);
  return pay(side, quoted, trackingAddress, journal);
}

export const wishOf = (options: InferenceOptions): InferenceWish => ({
  model: options.model,
  inferenceType: options.inferenceType ?? 'text_completion',
  input: options.input,
  parameters: options.parameters ?? {},
});

/** The chain's word, not a supernode's: the change of the burn goes to this address. */
export async function trackingAddressOf(side: UserSide, packTxid: string): Promise<string> {
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

/** A quote of one supernode, checked, and within the ceiling. */
export async function quoteOf(
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
  const faults = usageFaults(response, request, trackingAddress, await side.chain.height(), 'credit_note_id' in wish.parameters);
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

async function pay(
  side: UserSide,
  quoted: Quoted,
  trackingAddress: string,
  journal: Journal<InferenceState>,
): Promise<PaidInference> {
  const patoshis = quoted.costTenths;
  const held = (await side.wallet.addressAmounts()).get(trackingAddress) ?? 0;
  if (held < patoshis + FEE_PATOSHIS) {
    throw new ClientError(
      'not-enough-coins',
      `The tracking address ${trackingAddress} holds ${pslText(held)} PSL in this wallet, and the request needs ${pslText(patoshis + FEE_PATOSHIS)} PSL with its fee`,
      `Send some PSL to ${trackingAddress}.`,
    );
  }
  const state = paying(side.signing.pastelId, quoted, trackingAddress, await side.chain.height());
  await journal.save('user inference: burn intended', state);
  const comment = `Confirmation tracking transaction for inference request with request_id ${quoted.request.inference_request_id}`;
  let burnTxid: string;
  try {
    burnTxid = await burn(side, state, () =>
      side.wallet.sendMany(new Map([[side.burnAddress, patoshis]]), trackingAddress, comment),
    );
  } catch (error) {
    // Not sent, for certain; anything else stays in the journal.
    if (error instanceof ClientError && error.code === 'not-enough-coins')
      await journal.save('user inference: burn given up', undefined);
    throw error;
  }
  const paid = { ...state, burnTxid };
  await journal.save('user inference: burn sent', paid);
  side.report?.({ step: 'burn', text: `Burned ${pslText(patoshis)} PSL in ${burnTxid}`, patoshis, tenths: patoshis });
  return paid;
}
