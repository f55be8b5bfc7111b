import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import {
  CreditPackPurchaseRequestResponse as Offer,
  CreditPackPurchaseRequestResponseTermination as Termination,
  exchanges,
  writeJson,
} from '#protocol';
import { TestNetwork, type RunningSupernode } from '../support/network.js';
import { Buyer, expectNothingSold, expectSold, moneyOf, purchaseAt, refusalOf, type Money } from '../support/purchase.js';

const TOO_FEW_ANSWERED = 'Not enough supernodes responded with valid price agreement responses';
const TOO_FEW_AGREED = 'Not enough supernodes agreed to the proposed pricing';
const FAIR = '0.0005';
/** A fifth more than what the seller reckons with: out of the band. */
const UNLIKE = '0.0006';
/** Prices are off by 4 %, which is within the band. */
const ALIKE = '0.00052';

jest.setTimeout(60_000);
let network: TestNetwork;
let seller: RunningSupernode;
let buyer: Buyer;
let before: Money;

beforeAll(async () => {
  network = await TestNetwork.start();
  seller = network.supernodes[0]!;
});
beforeEach(async () => {
  buyer = await Buyer.of(network);
  before = moneyOf(network);
});
afterAll(() => network.close());

/** Starts the four peers as they think of a PSL; undefined: the peer is down. */
async function peersThink(...prices: (string | undefined)[]): Promise<void> {
  const peers = network.devnet.supernodes.filter(({ user }) => user !== seller.user);
  for (const [i, facts] of peers.entries()) {
    const running = network.supernodes.find(({ user }) => user === facts.user);
    if (running) await network.stopSupernode(running);
    const price = prices[i];
    if (price !== undefined) await network.startSupernode(facts, { environment: { FIXED_PSL_PRICE_IN_USD: price } });
  }
}
async function answer() {
  const quote = await buyer.quote(seller);
  const agreement = await buyer.agreement(quote);
  return { quote, agreement, decision: await buyer.send(seller, exchanges.quoteResponse, agreement) };
}
async function expectTerminated(reason: string): Promise<void> {
  const { quote, agreement, decision } = await answer();
  expect(decision).toBeInstanceOf(Termination);
  expect((decision as Termination).termination_reason_string).toBe(reason);
  const requestHash = quote.sha3_256_hash_of_credit_pack_purchase_request_fields;
  expect(await purchaseAt(seller, requestHash)).toMatchObject({ state: 'terminated' });
  // It stays so, whatever the peers think afterwards, and there is nothing to confirm.
  await peersThink(FAIR, FAIR, FAIR, FAIR);
  network.mine(3);
  expect(writeJson(await buyer.send(seller, exchanges.quoteResponse, agreement))).toBe(writeJson(decision));
  const offer = Object.assign(new Offer(), {
    ...quote,
    sha3_256_hash_of_credit_pack_purchase_request_response_fields: 'ab'.repeat(32),
  });
  const confirmation = await buyer.confirmation(offer, 'cd'.repeat(32));
  expect((await refusalOf(buyer.send(seller, exchanges.confirmation, confirmation))).status).toBe(404);
  await expectNothingSold(network, before);
}

test('peers that disagree: half of four', async () => {
  await peersThink(FAIR, FAIR, UNLIKE, UNLIKE);
  await expectTerminated(TOO_FEW_AGREED);
});

test('too few peers answer: half of four', async () => {
  await peersThink(FAIR, FAIR, undefined, undefined);
  await expectTerminated(TOO_FEW_ANSWERED);
});

test('enough answer and most of them agree, but too few of those asked', async () => {
  await peersThink(FAIR, FAIR, UNLIKE, undefined);
  await expectTerminated(TOO_FEW_AGREED);
});

test('three of four make a pack that every supernode accepts, those of another opinion too', async () => {
  await peersThink(FAIR, ALIKE, UNLIKE, FAIR);
  const { decision } = await answer();
  expect(decision).toBeInstanceOf(Offer);
  const offer = decision as Offer;
  expect(offer.list_of_potentially_agreeing_supernodes).toHaveLength(4);
  expect(offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms).toHaveLength(3);
  const completion = await buyer.confirm(seller, offer, await buyer.burn(offer));
  const registrationTxid = completion.pastel_api_credit_pack_ticket_registration_txid;
  await expectSold(network, before, [{ registrationTxid, payer: seller.user }]);
});
