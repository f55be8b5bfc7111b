import assert from 'node:assert/strict';
import {
  CreditPackPurchasePriceAgreementRequestResponse,
  isJsonObject,
  PythonNumber,
  pythonTimestamp,
  readJson,
  received,
  seal,
  writeJson,
  type JsonObject,
  type Signing,
} from '#protocol';
import { newIdentity } from '../../support/http-app.js';
import type { RunningSupernode } from '../../support/network.js';
import { pick, seeded } from '../contract.js';
import type { Town } from './town.js';
import type { Answered } from './wire.js';

type Vote = CreditPackPurchasePriceAgreementRequestResponse;
const VOTE = 'credit_pack_price_agreement_request';
const HOUR_MS = 3_600_000;
const HUGE = 5_000_000;

interface Liar {
  readonly vote: Vote;
  /** As it was written. */
  readonly text: string;
  readonly own: Signing;
  /** Of another supernode that lies with this one. */
  readonly other: Signing;
  /** What this one said about another question, if it ever did. */
  readonly earlier: string | undefined;
  readonly now: Date;
}
/** What a peer says in the place of its vote. */
type Lie = (liar: Liar) => string | Promise<string>;

const sealed = async ({ vote, own }: Liar, changes: Partial<Vote>, signing = own): Promise<string> =>
  writeJson(await seal(CreditPackPurchasePriceAgreementRequestResponse, { ...vote, ...changes }, signing));
const unsealed = ({ vote }: Liar, changes: Partial<Vote>): string =>
  writeJson(
    Object.assign(received(CreditPackPurchasePriceAgreementRequestResponse, readJson(writeJson(vote)) as JsonObject), changes),
  );
const times = (price: PythonNumber, factor: number): PythonNumber => PythonNumber.float(price.value * factor);
const SIGNATURES = [
  'responding_supernode_signature_on_price_agreement_request_response_hash',
  'responding_supernode_signature_on_credit_pack_purchase_request_fields_json_b64',
] as const;

/** None of them is a vote. */
const voteLies: Readonly<Record<string, Lie>> = {
  'a hash of something else': (liar) =>
    unsealed(liar, {
      sha3_256_hash_of_price_agreement_request_response_fields: 'ab'.repeat(32),
    }),
  'the signature of a stranger': (liar) => sealed(liar, {}, newIdentity()),
  'the signature on the hash by another': async (liar) =>
    unsealed(liar, {
      [SIGNATURES[0]]: await liar.other.sign(liar.vote.sha3_256_hash_of_price_agreement_request_response_fields),
    }),
  'the signature on the request by another': async (liar) =>
    unsealed(liar, { [SIGNATURES[1]]: await liar.other.sign(liar.vote.credit_pack_purchase_request_fields_json_b64) }),
  'no signature on the request': (liar) => unsealed(liar, { [SIGNATURES[1]]: '' }),
  'the vote of another': (liar) => sealed(liar, { responding_supernode_pastelid: liar.other.pastelId }, liar.other),
  'the vote of another under its own signature': (liar) => sealed(liar, { responding_supernode_pastelid: liar.other.pastelId }),
  'a vote on another question': (liar) => sealed(liar, { sha3_256_hash_of_price_agreement_request_fields: 'cd'.repeat(32) }),
  'an earlier vote': ({ earlier = '{}' }) => earlier,
  'a vote of an hour ago': (liar) =>
    sealed(liar, {
      proposed_price_agreement_response_timestamp_utc_iso_string: pythonTimestamp(new Date(liar.now.getTime() - HOUR_MS)),
    }),
  'a vote of an hour ahead': (liar) =>
    sealed(liar, {
      proposed_price_agreement_response_timestamp_utc_iso_string: pythonTimestamp(new Date(liar.now.getTime() + HOUR_MS)),
    }),
  'a vote of another height': (liar) =>
    sealed(liar, {
      proposed_price_agreement_response_pastel_block_height: liar.vote.proposed_price_agreement_response_pastel_block_height - 20,
    }),
  'another price': (liar) =>
    sealed(liar, { proposed_psl_price_per_credit: times(liar.vote.proposed_psl_price_per_credit, 1.01) }),
  'another price, unsigned': (liar) =>
    unsealed(liar, { proposed_psl_price_per_credit: times(liar.vote.proposed_psl_price_per_credit, 0.5) }),
  'another tracking address': (liar) =>
    sealed(liar, { credit_usage_tracking_psl_address: '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7' }),
  'another request': (liar) =>
    sealed(liar, { credit_pack_purchase_request_fields_json_b64: Buffer.from('{"credits": 1}').toString('base64') }),
  'the other opinion, unsigned': (liar) => unsealed(liar, { agree_with_proposed_price: !liar.vote.agree_with_proposed_price }),
  'two votes': ({ text }) => `[${text}, ${text}]`,
  'two votes, one after the other': ({ text }) => `${text}\n${text}`,
  'a vote within a vote': ({ text }) => `{"vote": ${text}}`,
  nothing: () => '',
  'an empty object': () => '{}',
  'half a vote': ({ text }) => text.slice(0, text.length / 2),
  'the price as a text': ({ text }) => text.replace(/("proposed_psl_price_per_credit":\s*)([\d.]+)/, '$1"$2"'),
  'a page': () => '<html><body>Welcome to nginx!</body></html>',
  'five megabytes': () => `"${'x'.repeat(HUGE)}"`,
};
const lieNames = Object.keys(voteLies);
export const PEERS_LIES = lieNames.length;

const earlier = new Map<string, string>();

function liarIn(town: Town, { node, text }: Answered): Liar {
  const wire = readJson(text);
  assert.ok(isJsonObject(wire), text);
  const own = town.signingOf(node.pastelId);
  const other = town.signingOf(town.nodes.find(({ pastelId }) => pastelId !== node.pastelId)!.pastelId);
  const vote = received(CreditPackPurchasePriceAgreementRequestResponse, wire);
  return { vote, text, own, other, earlier: earlier.get(node.pastelId), now: town.network.clock.now() };
}

/** Peers of the seller lie about their votes. One of four does no harm; with two of them nobody can sell. */
export async function lyingPeers(town: Town, seed: number): Promise<void> {
  const chance = seeded(seed);
  const { buyer, seller, peers } = await town.cast(chance);
  // Every lie in turn, by one; then with others beside it.
  const liars = new Map<RunningSupernode, string>([[peers[0]!, lieNames[seed % lieNames.length]!]]);
  const others = chance() < 0.5 ? 0 : 1 + Math.floor(chance() * (peers.length - 1));
  for (const peer of peers.slice(1, 1 + others)) liars.set(peer, pick(chance, lieNames));
  const isSold = liars.size === 1;
  town.wire.answer = async (answered) => {
    if (answered.path !== VOTE || answered.status !== 200) return undefined;
    const lie = liars.get(answered.node);
    const said = lie === undefined ? undefined : await voteLies[lie]!(liarIn(town, answered));
    earlier.set(answered.node.pastelId, answered.text);
    return said;
  };
  const told = [...liars.values()].join(', ');
  if (isSold) {
    const pack = await town.buy(buyer, await town.options());
    assert.equal(pack.sellerPastelId, seller.pastelId);
    assert.ok(!pack.agreeingPastelIds.includes([...liars.keys()][0]!.pastelId), `counted: ${told}`);
    return;
  }
  const reason = await town.refused(buyer, await town.options());
  assert.match(reason, /Not enough supernodes responded with valid price agreement responses/, told);
  town.wire.clear();
  await town.buy(buyer, await town.options());
}
