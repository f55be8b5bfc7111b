import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { exchanges, networks } from '#protocol';
import { TestNetwork, type RunningSupernode } from '../support/network.js';
import {
  Buyer,
  credits,
  expectNothingSold,
  expectSold,
  moneyOf,
  packsAt,
  purchaseAt,
  refusalOf,
  requestHashOf,
  totalOf,
  type Money,
} from '../support/purchase.js';

const WINDOW_BLOCKS = 50;
const FAILURE = {
  credit_pack_confirmation_outcome_string: 'failure',
  pastel_api_credit_pack_ticket_registration_txid: '',
  credit_pack_confirmation_failure_reason_if_applicable: 'Burn transaction not confirmed within the required number of blocks',
};

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

test('a burn that never comes: a signed failure when the window is over, and no ticket', async () => {
  const offer = await buyer.offer(seller);
  const confirmation = await buyer.confirmation(offer, 'ab'.repeat(32));
  const answer = buyer.send(seller, exchanges.confirmation, confirmation);
  await network.see(async () => (await purchaseAt(seller, requestHashOf(offer)))?.state === 'claimed');
  expect(await buyer.statusAt(seller, offer)).toBe('confirmed');
  network.mine(WINDOW_BLOCKS + 1);
  expect(await network.until(answer)).toMatchObject(FAILURE);
  expect(await buyer.statusAt(seller, offer)).toBe('failed');
  await expectNothingSold(network, before);
});

test('a burn in the last block of its window is in time', async () => {
  const offer = await buyer.offer(seller);
  network.mine(WINDOW_BLOCKS - 1);
  const completion = await buyer.confirm(seller, offer, await minedBurn(offer));
  await expectSold(network, before, [
    { registrationTxid: completion.pastel_api_credit_pack_ticket_registration_txid, payer: seller.user },
  ]);
});

test('a burn one block later is late: a signed failure and no ticket', async () => {
  const offer = await buyer.offer(seller);
  network.mine(WINDOW_BLOCKS);
  expect(await buyer.confirm(seller, offer, await minedBurn(offer))).toMatchObject(FAILURE);
  expect(await purchaseAt(seller, requestHashOf(offer))).toMatchObject({ state: 'failed', burnTxid: null });
  await expectNothingSold(network, before);
});

test('a burn that is a patoshi short is refused, nothing is stored, and the right one still counts', async () => {
  const offer = await buyer.offer(seller);
  const short = await minedBurn(offer, -1);
  const { status, detail } = await refusalOf(buyer.confirm(seller, offer, short));
  expect(status).toBe(400);
  expect(detail).toMatch(/^The burn transaction burns [\d.]+ PSL, and the offer asks for [\d.]+ PSL$/);
  expect(await purchaseAt(seller, requestHashOf(offer))).toMatchObject({ state: 'agreed', confirmation: null });
  await expectNothingSold(network, before);

  const completion = await buyer.confirm(seller, offer, await buyer.burn(offer));
  await expectSold(network, before, [
    { registrationTxid: completion.pastel_api_credit_pack_ticket_registration_txid, payer: seller.user },
  ]);
});

test('a burn from another address of the wallet pays', async () => {
  const offer = await buyer.offer(seller);
  const elsewhere = await network.user.wallet.newAddress();
  const burn = await buyer.burnWithChange(totalOf(offer), elsewhere);
  const { inputs, outputs } = (await network.user.chain.transaction(burn))!;
  const touched = [...inputs, ...outputs].map(({ address }) => address);
  expect(touched).not.toContain(offer.credit_usage_tracking_psl_address);
  const completion = await buyer.confirm(seller, offer, burn);
  await expectSold(network, before, [
    { registrationTxid: completion.pastel_api_credit_pack_ticket_registration_txid, payer: seller.user },
  ]);
});

test('what is paid too much, with the change to the tracking address, is recorded and never credited', async () => {
  const offer = await buyer.offer(seller, credits('20'));
  const burn = await buyer.burnWithChange(totalOf(offer) + 777_777, offer.credit_usage_tracking_psl_address);
  network.mine();
  const completion = await buyer.confirm(seller, offer, burn);
  const registrationTxid = completion.pastel_api_credit_pack_ticket_registration_txid;
  await expectSold(network, before, [{ registrationTxid, payer: seller.user }]);
  expect(await purchaseAt(seller, requestHashOf(offer))).toMatchObject({ excessPatoshis: 777_777, burnTxid: burn });
  await expectCredits(registrationTxid, 200);
});

test('what is paid too much and is tied to nothing waits for more confirmations', async () => {
  const offer = await buyer.offer(seller, credits('20'));
  network.mine();
  const burn = await minedBurn(offer, 777_777);
  const answer = buyer.send(seller, exchanges.confirmation, await buyer.confirmation(offer, burn));
  const row = () => purchaseAt(seller, requestHashOf(offer));
  await network.see(async () => (await row())?.state === 'claimed');
  for (let confirmations = 1; confirmations < 3; confirmations++) {
    await network.sweep();
    expect(await row()).toMatchObject({ state: 'claimed', burnTxid: null, registrationTxid: null });
    network.mine();
  }
  await network.sweep();
  expect(await row()).toMatchObject({ state: 'registering', burnTxid: burn, excessPatoshis: 777_777 });
  const registrationTxid = (await network.until(answer)).pastel_api_credit_pack_ticket_registration_txid;
  await expectSold(network, before, [{ registrationTxid, payer: seller.user }]);
  await expectCredits(registrationTxid, 200);
});

test("somebody else's burn for an offer of another supernode pays nothing here, and its owner gets his pack", async () => {
  const [owner, thief] = [buyer, await Buyer.of(network)];
  const [mine, theirs] = [await thief.offer(seller, credits('20')), await owner.offer(network.supernodes[1]!, credits('30'))];
  // The offer has been announced to the peers.
  await network.sweep();
  const burn = await owner.burn(theirs);
  network.mine();
  expect(await refusalOf(thief.confirm(seller, mine, burn))).toEqual({
    status: 400,
    detail: 'The burn transaction burns the total of another offer',
  });
  expect(await purchaseAt(seller, requestHashOf(mine))).toMatchObject({ state: 'agreed', confirmation: null });
  const completion = await owner.confirm(network.supernodes[1]!, theirs, burn);
  const sale = { registrationTxid: completion.pastel_api_credit_pack_ticket_registration_txid, payer: 'sn2' };
  await expectSold(network, before, [sale]);
  // Nor does it pay a second time, now that its pack stands.
  network.mine(5);
  expect((await refusalOf(thief.confirm(seller, mine, burn))).status).toBe(400);
  await expectSold(network, before, [sale]);
});

test('a burn that is older than the offer never counts, tied to the tracking address or not', async () => {
  const tracking = await network.user.wallet.newAddress();
  const large = totalOf(await (await Buyer.of(network)).offer(seller, credits('25')));
  const tied = await buyer.burnWithChange(large, tracking);
  const untied = await network.user.wallet.sendToAddress(networks.devnet.burnAddress, large + 1);
  network.mine(2);
  const offer = await buyer.offer(seller, { ...credits('20'), credit_usage_tracking_psl_address: tracking });
  network.mine();
  expect(await refusalOf(buyer.confirm(seller, offer, tied))).toEqual({
    status: 400,
    detail: 'The burn transaction is older than the offer',
  });
  expect((await refusalOf(buyer.confirm(seller, offer, untied))).status).toBe(400);
  expect(await purchaseAt(seller, requestHashOf(offer))).toMatchObject({ state: 'agreed', confirmation: null });
  await expectNothingSold(network, before);
});

/** The txid of a burn that stands in the newest block. */
async function minedBurn(...[offer, more]: Parameters<Buyer['burn']>): Promise<string> {
  const txid = await buyer.burn(offer, more);
  network.mine();
  return txid;
}
async function expectCredits(registrationTxid: string, tenths: number): Promise<void> {
  for (const node of network.supernodes)
    expect((await packsAt(node)).find((pack) => pack.registrationTxid === registrationTxid)).toMatchObject({
      initialMillicredits: tenths * 100,
    });
}
