import assert from 'node:assert/strict';
import {
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  CreditPackPurchaseRequestResponse,
  isJsonObject,
  PythonNumber,
  readJson,
  received,
  seal,
  writeJson,
  type MessageClass,
} from '#protocol';
import { newIdentity } from '../../support/http-app.js';
import { pick, seeded } from '../contract.js';
import type { Town } from './town.js';
import type { Answered } from './wire.js';

type Quote = CreditPackPurchaseRequestPreliminaryPriceQuote;
type Offer = CreditPackPurchaseRequestResponse;
const QUOTE = 'credit_purchase_initial_request';
const OFFER = 'credit_purchase_preliminary_price_quote_response';
const VOTE = 'credit_pack_price_agreement_request';
const BURN_ADDRESS = '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7';
const OTHER_TEXT = Buffer.from('{"credits": 1}').toString('base64');

const more = (amount: PythonNumber, by: number): PythonNumber => PythonNumber.float(Number((amount.value + by).toFixed(5)));

/** Changes of a quote that the supernode signs. */
const quoteLies: Readonly<Record<string, (quote: Quote) => Partial<Quote>>> = {
  'a total of ten times the price': (quote) => ({
    preliminary_total_cost_of_credit_pack_in_psl: more(quote.preliminary_total_cost_of_credit_pack_in_psl, 2_000),
  }),
  'a total below the price': (quote) => ({
    preliminary_total_cost_of_credit_pack_in_psl: more(quote.preliminary_total_cost_of_credit_pack_in_psl, -10),
  }),
  'a price of nothing': () => ({ preliminary_quoted_price_per_credit_in_psl: PythonNumber.float(0) }),
  'another tracking address in the quote': () => ({ credit_usage_tracking_psl_address: BURN_ADDRESS }),
  'another request in the quote': () => ({ credit_pack_purchase_request_fields_json_b64: OTHER_TEXT }),
  'a quote for another request': () => ({ sha3_256_hash_of_credit_pack_purchase_request_fields: 'ab'.repeat(32) }),
};

const agreeing = 'list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms';
const selected = 'list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion';
const asked = 'list_of_potentially_agreeing_supernodes';
const signatures = 'selected_agreeing_supernodes_signatures_dict';
const ON_REQUEST = 'credit_pack_purchase_request_fields_json_b64_signature';

/** A table of signatures in which the first one is another. */
function firstOther(offer: Offer, change: (signature: string) => Record<string, string>): Partial<Offer> {
  const [first, ...others] = Object.entries(offer[signatures]);
  return { [signatures]: Object.fromEntries([[first![0], { ...first![1], ...change(first![1][ON_REQUEST]!) }], ...others]) };
}
/** Somebody agrees who has not been asked. */
function withVoter(offer: Offer, pastelId: string, isAsked: boolean): Partial<Offer> {
  const [donor] = Object.values(offer[signatures]);
  return {
    [agreeing]: [...offer[agreeing], pastelId],
    [selected]: [...offer[selected], pastelId],
    [signatures]: { ...offer[signatures], [pastelId]: donor! },
    ...(isAsked && { [asked]: [...offer[asked], pastelId] }),
  };
}

/** Changes of an offer that the supernode signs. */
const offerLies: Readonly<Record<string, (offer: Offer) => Partial<Offer>>> = {
  'another total than the quote': (offer) => ({
    proposed_total_cost_of_credit_pack_in_psl: more(offer.proposed_total_cost_of_credit_pack_in_psl, 0.00001),
  }),
  'another price than the quote': (offer) => ({ psl_cost_per_credit: more(offer.psl_cost_per_credit, 0.1) }),
  'another tracking address than the quote': () => ({ credit_usage_tracking_psl_address: BURN_ADDRESS }),
  'another request than the quote': () => ({ credit_pack_purchase_request_fields_json_b64: OTHER_TEXT }),
  'an offer for another request': () => ({ sha3_256_hash_of_credit_pack_purchase_request_fields: 'ab'.repeat(32) }),
  'the vote of half of them': (offer) => ({
    [agreeing]: offer[agreeing].slice(0, 2),
    [selected]: offer[selected].filter((pastelId) => offer[agreeing].slice(0, 2).includes(pastelId)),
  }),
  'no vote': () => ({ [agreeing]: [], [selected]: [], [signatures]: {} }),
  'nobody asked': () => ({ [asked]: [], [agreeing]: [], [selected]: [], [signatures]: {} }),
  'one vote that counts four times': (offer) => ({ [agreeing]: Array.from({ length: 4 }, () => offer[agreeing][0]!) }),
  'a vote of the seller': (offer) => withVoter(offer, offer.responding_supernode_pastelid, true),
  'a vote of somebody who was not asked': (offer) => withVoter(offer, newIdentity().pastelId, false),
  'a vote of a stranger': (offer) => withVoter(offer, newIdentity().pastelId, true),
  'a vote without a signature': (offer) => firstOther(offer, () => ({ [ON_REQUEST]: '' })),
  'a vote with the signature of another': (offer) =>
    firstOther(offer, () => ({ [ON_REQUEST]: Object.values(offer[signatures]).at(-1)![ON_REQUEST]! })),
  'a vote with a changed signature': (offer) =>
    firstOther(offer, (signature) => ({ [ON_REQUEST]: `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}` })),
  'other signers than the block selects': (offer) => ({ [selected]: offer[selected].slice(1) }),
  'most of the supernodes left out': (offer) => ({
    list_of_blacklisted_supernode_pastelids: Array.from({ length: 5 }, () => newIdentity().pastelId),
    [asked]: offer[asked],
  }),
  'a block that is none': () => ({ best_block_merkle_root: 'cd'.repeat(32) }),
  'a block of long ago': (offer) => ({ best_block_height: offer.best_block_height - 50 }),
  'an offer of another height': (offer) => ({
    request_response_pastel_block_height: offer.request_response_pastel_block_height - 20,
  }),
};

type Rewritten = (town: Town, answered: Answered) => Promise<string>;
const changed =
  <M extends object>(type: MessageClass<M>, changes: (message: M) => Partial<M>, isSealed = true): Rewritten =>
  async (town, { node, text }) => {
    const message = messageIn(type, text);
    const other = { ...message, ...changes(message) };
    return writeJson(isSealed ? await seal(type, other, town.signingOf(node.pastelId)) : Object.assign(new type(), other));
  };
function messageIn<M extends object>(type: MessageClass<M>, text: string): M {
  const wire = readJson(text);
  assert.ok(isJsonObject(wire), text);
  return received(type, wire);
}
const bySomebodyElse =
  <M extends object>(type: MessageClass<M>): Rewritten =>
  async (_, { text }) =>
    writeJson(await seal(type, messageIn(type, text), newIdentity()));

interface SellersLie {
  readonly path: string;
  readonly rewrite: Rewritten;
}
const lies: Readonly<Record<string, SellersLie>> = {
  ...Object.fromEntries(
    Object.entries(quoteLies).map(([name, lie]) => [
      name,
      { path: QUOTE, rewrite: changed(CreditPackPurchaseRequestPreliminaryPriceQuote, lie) },
    ]),
  ),
  'a quote that was changed after it was signed': {
    path: QUOTE,
    rewrite: changed(
      CreditPackPurchaseRequestPreliminaryPriceQuote,
      (quote) => ({
        preliminary_total_cost_of_credit_pack_in_psl: more(quote.preliminary_total_cost_of_credit_pack_in_psl, 0.1),
      }),
      false,
    ),
  },
  'a quote of a stranger': { path: QUOTE, rewrite: bySomebodyElse(CreditPackPurchaseRequestPreliminaryPriceQuote) },
  ...Object.fromEntries(
    Object.entries(offerLies).map(([name, lie]) => [
      name,
      { path: OFFER, rewrite: changed(CreditPackPurchaseRequestResponse, lie) },
    ]),
  ),
  'an offer that was changed after it was signed': {
    path: OFFER,
    rewrite: changed(
      CreditPackPurchaseRequestResponse,
      (offer) => ({ proposed_total_cost_of_credit_pack_in_psl: more(offer.proposed_total_cost_of_credit_pack_in_psl, -1) }),
      false,
    ),
  },
  'an offer of a stranger': { path: OFFER, rewrite: bySomebodyElse(CreditPackPurchaseRequestResponse) },
  'no JSON': { path: OFFER, rewrite: async () => '<html><body>Welcome to nginx!</body></html>' },
  'half an offer': { path: OFFER, rewrite: async (_, { text }) => text.slice(0, text.length / 2) },
};
const lieNames = Object.keys(lies);
export const SELLERS_LIES = lieNames.length;

/** Every supernode tells the same lie, and nothing is burned; then only the first one lies, and the buyer buys from another. */
export async function lyingSellers(town: Town, seed: number): Promise<void> {
  const chance = seeded(seed);
  const { buyer, seller } = await town.cast(chance);
  const name = lieNames[seed % lieNames.length]!;
  const { path, rewrite } = lies[name]!;
  const lie = (answered: Answered): Promise<string> | undefined =>
    answered.path === path && answered.status === 200 ? rewrite(town, answered) : undefined;
  town.wire.answer = async (answered) => lie(answered);
  assert.match(await town.refused(buyer, await town.options()), /No supernode sells the pack/, name);
  town.network.clock.advance(1_000);
  town.wire.answer = async (answered) => (answered.node === seller ? lie(answered) : undefined);
  const pack = await town.buy(buyer, await town.options(town.nodes.length));
  assert.notEqual(pack.sellerPastelId, seller.pastelId, name);
}

/** Peers that say nothing, as the client sees it. */
export async function silentPeers(town: Town, seed: number): Promise<void> {
  const chance = seeded(seed);
  const { buyer, seller, peers } = await town.cast(chance);
  const silent = new Set(peers.slice(0, seed % (peers.length + 1)));
  // Waiting costs seconds in earnest, so few of them just hang.
  const way = seed % 25 === 2 ? 'hang' : 'cut';
  const where = pick(chance, ['challenge', 'vote'] as const);
  town.wire.way = ({ node, path, caller }) => {
    if (!silent.has(node)) return 'pass';
    return (where === 'vote' ? path === VOTE : caller === seller.pastelId) ? way : 'pass';
  };
  if (silent.size <= 1) {
    const { sellerPastelId, agreeingPastelIds } = await town.buy(buyer, await town.options());
    assert.equal(sellerPastelId, seller.pastelId);
    assert.equal(agreeingPastelIds.length, peers.length - silent.size);
    return;
  }
  const reason = await town.refused(buyer, await town.options());
  assert.match(reason, /Not enough supernodes responded with valid price agreement responses/);
  town.wire.clear();
  town.network.clock.advance(1_000);
  await town.buy(buyer, await town.options());
}
