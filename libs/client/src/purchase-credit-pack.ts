import {
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
  CreditPackPurchaseRequestResponse,
  exchanges,
  kinds,
  PATOSHIS_PER_PSL,
  pslText,
  PythonNumber,
  requestFieldsBase64,
  seal,
} from '#protocol';
import { burn, findBurn } from './burn.js';
import { reachableSupernodes, type Candidate, type Choice } from './choice.js';
import { notEnoughCoins } from './create-pastelid.js';
import { SupernodeUntrustworthy } from './errors.js';
import { offerFaults, quoteFaults, roundedPatoshis, voteSignature } from './offer.rules.js';
import { completePurchase, type PurchasedPack } from './purchase-completion.js';
import { burning, type PurchaseState } from './purchase-state.js';
import { ClientError, isSupernodeTrouble, memoryJournal, stampOf, type Journal, type UserSide } from './side.js';

export interface PurchaseOptions {
  readonly credits: number;
  /** Or how to get one: asked only for a new purchase. */
  readonly trackingAddress: string | (() => Promise<string>);
  /** Who may spend the pack; the buyer alone where absent. */
  readonly authorisedPastelIds?: readonly string[];
  /** Most that a credit may cost. */
  readonly patoshisPerCreditMax?: number;
  /** Supernodes that are asked, one after another. */
  readonly supernodesMax?: number;
  readonly tieBreak?: Choice['tieBreak'];
  /** Keeps a purchase from being paid twice when the program ends in between. */
  readonly journal?: Journal<PurchaseState>;
}

/** 100 PSL, as the existing clients have it (MAXIMUM_PER_CREDIT_PRICE_IN_PSL_FOR_CLIENT). */
const PATOSHIS_PER_CREDIT_MAX = 100 * PATOSHIS_PER_PSL;
const SUPERNODES_MAX = 12;
const QUOTE_TIMEOUT_MS = 60_000;
/** The seller asks its peers meanwhile. */
const OFFER_TIMEOUT_MS = 240_000;
/** The highest fee that the wallet pays (pasteld spec B.2). */
const FEE_MAX_PATOSHIS = 10_000;

interface Offer {
  readonly candidate: Candidate;
  readonly response: CreditPackPurchaseRequestResponse;
}

/**
 * Buys a credit pack.
 * 1. Takes up a purchase that was paid and not finished, if the journal has one.
 * 2. Chooses the closest supernodes that answer, and asks them one after another:
 *    request, quote, own ceiling, agreement, binding offer with the votes of the peers; checks every word of it.
 * 3. Writes down that it is about to burn, burns the exact total, writes down the transaction.
 * 4. Confirms, tells the agreeing supernodes, and sees the ticket on the chain (purchase-completion.ts).
 */
export async function purchaseCreditPack(side: UserSide, options: PurchaseOptions): Promise<PurchasedPack> {
  const journal = options.journal ?? memoryJournal<PurchaseState>();
  const state = (await resumed(side, journal)) ?? (await begun(side, options, journal));
  const pack = await completePurchase(side, state, journal);
  await journal.save('user purchase: finished', undefined);
  return pack;
}

async function resumed(side: UserSide, journal: Journal<PurchaseState>): Promise<PurchaseState | undefined> {
  const state = await journal.load();
  if (!state) return undefined;
  if (state.buyer !== side.signing.pastelId) {
    throw new ClientError('bad-input', `A purchase of ${state.buyer} is not finished`, 'Finish it first, with that PastelID.');
  }
  side.report?.({ step: 'resume', text: 'Taking up a purchase that was not finished' });
  const burnTxid = state.burnTxid ?? (await findBurn(side, state));
  if (burnTxid === undefined) {
    side.report?.({ step: 'resume', text: 'It was never paid; beginning anew' });
    await journal.save('user purchase: found unpaid', undefined);
    return undefined;
  }
  const paid = { ...state, burnTxid };
  await journal.save('user purchase: burn found', paid);
  return paid;
}

async function begun(side: UserSide, wish: PurchaseOptions, journal: Journal<PurchaseState>): Promise<PurchaseState> {
  const { trackingAddress } = wish;
  const options = { ...wish, trackingAddress: typeof trackingAddress === 'string' ? trackingAddress : await trackingAddress() };
  checkInput(options);
  const { candidate, response } = await bestOffer(side, options);
  const state = burning(side.signing.pastelId, candidate, response, await side.chain.height());
  await journal.save('user purchase: burn intended', state);
  let burnTxid: string;
  try {
    burnTxid = await burn(side, state, () =>
      side.wallet.sendToAddress(side.burnAddress, state.patoshis, 'Burn transaction for credit pack ticket'),
    );
  } catch (error) {
    // Not sent, for certain; anything else stays in the journal.
    if (error instanceof ClientError && error.code === 'not-enough-coins')
      await journal.save('user purchase: burn given up', undefined);
    throw error;
  }
  const paid = { ...state, burnTxid };
  await journal.save('user purchase: burn sent', paid);
  side.report?.({ step: 'burn', text: `Burned ${pslText(state.patoshis)} PSL in ${burnTxid}`, patoshis: state.patoshis });
  return paid;
}

/** With the address at hand. */
type Terms = PurchaseOptions & { readonly trackingAddress: string };

function checkInput({ credits, trackingAddress }: Terms): void {
  if (!Number.isSafeInteger(credits) || credits < 1)
    throw new ClientError('bad-input', `${credits} is no whole number of credits`);
  if (!kinds.address.accepts(trackingAddress)) throw new ClientError('bad-input', `Not an address: ${String(trackingAddress)}`);
}

async function bestOffer(side: UserSide, options: Terms): Promise<Offer> {
  const { supernodesMax = SUPERNODES_MAX, tieBreak } = options;
  const candidates = await reachableSupernodes(side, { count: supernodesMax, ...(tieBreak && { tieBreak }) });
  side.report?.({ step: 'supernodes', text: `${candidates.length} supernodes answer; asking the closest first` });
  const reasons: string[] = [];
  let expensive = 0;
  for (const candidate of candidates) {
    try {
      return { candidate, response: await offerOf(side, candidate, options) };
    } catch (error) {
      const isTheirs = error instanceof ClientError && (error.code === 'not-sold' || error.code === 'too-expensive');
      if (!isTheirs && !isSupernodeTrouble(error)) throw error;
      if (isTheirs && error.code === 'too-expensive') expensive++;
      reasons.push(isTheirs ? `${candidate.client.url}: ${error.message}` : error.message);
      side.report?.({ step: 'refused', text: reasons.at(-1)! });
    }
  }
  const code = expensive === candidates.length ? 'too-expensive' : 'not-sold';
  throw new ClientError(
    code,
    `No supernode sells the pack. ${[...new Set(reasons)].slice(0, 5).join(' / ')}`,
    'Nothing was paid.',
  );
}

async function offerOf(side: UserSide, candidate: Candidate, options: Terms): Promise<CreditPackPurchaseRequestResponse> {
  const { client, pastelId: expectedSigner } = candidate;
  const request = await requestFor(side, options);
  const quote = await client.exchange(exchanges.purchaseRequest, request, { expectedSigner, timeoutMs: QUOTE_TIMEOUT_MS });
  if (!(quote instanceof CreditPackPurchaseRequestPreliminaryPriceQuote))
    throw new ClientError('not-sold', quote.rejection_reason_string);
  refuseFaults(candidate, exchanges.purchaseRequest.path, quoteFaults(quote, request));
  const total = roundedPatoshis(quote.preliminary_total_cost_of_credit_pack_in_psl);
  side.report?.({
    step: 'quote',
    text: `${client.url} asks ${pslText(total)} PSL for ${options.credits} credits`,
    waitsFor: "the agreement of the supernode's peers",
  });
  await checkMeans(side, candidate, request, quote, options);

  const agreed = await answerTo(side, request, quote, true);
  const response = await client.exchange(exchanges.quoteResponse, agreed, { expectedSigner, timeoutMs: OFFER_TIMEOUT_MS });
  if (!(response instanceof CreditPackPurchaseRequestResponse))
    throw new ClientError('not-sold', response.termination_reason_string);
  refuseFaults(candidate, exchanges.quoteResponse.path, await faultsOfOffer(side, response, request, quote));
  const agreeing = response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms.length;
  side.report?.({
    step: 'offer',
    text: `${agreeing} of ${response.list_of_potentially_agreeing_supernodes.length} supernodes agree to the price; every signature is good`,
  });
  return response;
}

async function requestFor(side: UserSide, options: Terms): Promise<CreditPackPurchaseRequest> {
  const { signing, entropy } = side;
  const { timestamp, height } = await stampOf(side);
  const draft = {
    id: entropy.uuid(),
    requesting_end_user_pastelid: signing.pastelId,
    requested_initial_credits_in_credit_pack: PythonNumber.read(String(options.credits)),
    list_of_authorized_pastelids_allowed_to_use_credit_pack: JSON.stringify(options.authorisedPastelIds ?? [signing.pastelId]),
    credit_usage_tracking_psl_address: options.trackingAddress,
    request_timestamp_utc_iso_string: timestamp,
    request_pastel_block_height: height,
    credit_purchase_request_message_version_string: '1.0',
  };
  return seal(CreditPackPurchaseRequest, draft, signing);
}

/** Ceiling and wallet, before anybody is bound. A price that is too high is declined, so that the offer does not stay open. */
async function checkMeans(
  side: UserSide,
  { client }: Candidate,
  request: CreditPackPurchaseRequest,
  quote: CreditPackPurchaseRequestPreliminaryPriceQuote,
  options: Terms,
): Promise<void> {
  const ceiling = options.patoshisPerCreditMax ?? PATOSHIS_PER_CREDIT_MAX;
  const total = roundedPatoshis(quote.preliminary_total_cost_of_credit_pack_in_psl);
  const needed = total + FEE_MAX_PATOSHIS;
  const isTooExpensive =
    roundedPatoshis(quote.preliminary_quoted_price_per_credit_in_psl) > ceiling || total > ceiling * options.credits;
  const balance = await side.wallet.balance();
  if (!isTooExpensive && balance >= needed) return;
  const declined = await answerTo(side, request, quote, false);
  await client.exchange(exchanges.quoteResponse, declined, { timeoutMs: QUOTE_TIMEOUT_MS }).catch((error: unknown) => {
    if (!isSupernodeTrouble(error)) throw error;
  });
  if (!isTooExpensive) throw notEnoughCoins(needed, balance);
  const price = pslText(roundedPatoshis(quote.preliminary_quoted_price_per_credit_in_psl));
  throw new ClientError('too-expensive', `asks ${price} PSL a credit, and at most ${pslText(ceiling)} are allowed`);
}

async function answerTo(
  side: UserSide,
  request: CreditPackPurchaseRequest,
  quote: CreditPackPurchaseRequestPreliminaryPriceQuote,
  agree: boolean,
) {
  const { timestamp, height } = await stampOf(side);
  const draft = {
    sha3_256_hash_of_credit_pack_purchase_request_fields: request.sha3_256_hash_of_credit_pack_purchase_request_fields,
    sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields:
      quote.sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields,
    credit_pack_purchase_request_fields_json_b64: requestFieldsBase64(request),
    agree_with_preliminary_price_quote: agree,
    credit_usage_tracking_psl_address: request.credit_usage_tracking_psl_address,
    preliminary_quoted_price_per_credit_in_psl: quote.preliminary_quoted_price_per_credit_in_psl,
    preliminary_price_quote_response_timestamp_utc_iso_string: timestamp,
    preliminary_price_quote_response_pastel_block_height: height,
    preliminary_price_quote_response_message_version_string: '1.0',
    requesting_end_user_pastelid: side.signing.pastelId,
  };
  return seal(CreditPackPurchaseRequestPreliminaryPriceQuoteResponse, draft, side.signing);
}

async function faultsOfOffer(
  side: UserSide,
  response: CreditPackPurchaseRequestResponse,
  request: CreditPackPurchaseRequest,
  quote: CreditPackPurchaseRequestPreliminaryPriceQuote,
): Promise<string[]> {
  const [listed, block] = await Promise.all([side.network.list(), side.chain.block(response.best_block_height)]);
  const faults = offerFaults(response, {
    request,
    quote,
    listed: new Set(listed.flatMap(({ pastelId }) => pastelId ?? [])),
    merkleRoot: block?.merkleRoot,
  });
  if (faults.length > 0) return faults;
  const text = response.credit_pack_purchase_request_fields_json_b64;
  const selected = response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion;
  const good = await Promise.all(
    selected.map((pastelId) => side.checking.verify(pastelId, text, voteSignature(response, pastelId)!)),
  );
  return good.every(Boolean) ? [] : ['the signature of a vote does not verify'];
}

function refuseFaults({ client }: Candidate, path: string, faults: string[]): void {
  if (faults.length > 0) throw new SupernodeUntrustworthy(client.url, path, faults);
}
