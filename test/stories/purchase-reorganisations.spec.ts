import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { exchanges } from '#protocol';
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
  type Money,
  type PackFacts,
} from '../support/purchase.js';

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
afterEach(() => network.devnet.faults.clear());
afterAll(() => network.close());

/** The pack as each supernode has it. */
async function everywhere(registrationTxid: string): Promise<(PackFacts | undefined)[]> {
  const rows = network.supernodes.map(async (node) =>
    (await packsAt(node)).find((pack) => pack.registrationTxid === registrationTxid),
  );
  return Promise.all(rows);
}

test('a burn that a reorganisation drops before the ticket is written buys nothing', async () => {
  const offer = await buyer.offer(seller);
  const burn = await buyer.burn(offer);
  network.mine();
  // The node cannot register for a while; in that time the burn goes.
  network.devnet.faults.failNext('tickets register contract', 100, { kind: 'error', code: -1, message: 'Not now' }, seller.user);
  const answer = buyer.send(seller, exchanges.confirmation, await buyer.confirmation(offer, burn));
  await network.see(async () => (await purchaseAt(seller, requestHashOf(offer)))?.state === 'registering');
  network.devnet.controls.reorganise(1, { drop: [burn] });
  network.devnet.faults.clear();
  network.clock.advance(15_000);
  await network.sweep();
  expect(moneyOf(network).tickets).toEqual(before.tickets);
  network.mine(51);
  expect(await network.until(answer)).toMatchObject({
    credit_pack_confirmation_outcome_string: 'failure',
    pastel_api_credit_pack_ticket_registration_txid: '',
  });
  await expectNothingSold(network, before);
});

test('a burn that a reorganisation drops before it is named counts when it is mined again, in its window', async () => {
  const offer = await buyer.offer(seller);
  const burn = await buyer.burn(offer);
  network.mine();
  network.devnet.controls.reorganise(1, { keepWaiting: true });
  expect((await network.user.chain.transaction(burn))?.mined).toBeUndefined();
  const completion = await buyer.confirm(seller, offer, burn);
  const registrationTxid = completion.pastel_api_credit_pack_ticket_registration_txid;
  await expectSold(network, before, [{ registrationTxid, payer: seller.user }]);
});

test('a pack is undone with the block of its ticket, and stands again where the ticket is mined again', async () => {
  const offer = await buyer.offer(seller, credits('20'));
  const burn = await buyer.burn(offer);
  network.mine(3);
  const completion = await buyer.confirm(seller, offer, burn);
  const registrationTxid = completion.pastel_api_credit_pack_ticket_registration_txid;
  const sale = { registrationTxid, payer: seller.user };
  await expectSold(network, before, [sale]);
  const first = (await everywhere(registrationTxid))[0]!;

  network.devnet.controls.reorganise(network.height - first.height + 1, { keepWaiting: true });
  await network.sweep();
  expect((await everywhere(registrationTxid)).map((pack) => pack?.state)).toEqual(network.supernodes.map(() => 'orphaned'));
  expect(moneyOf(network).tickets).toEqual(before.tickets);
  // Its address and burn stay taken meanwhile.
  const other = await Buyer.of(network);
  const taken = { ...credits('20'), credit_usage_tracking_psl_address: offer.credit_usage_tracking_psl_address };
  await expect(other.quote(network.supernodes[1]!, taken)).rejects.toThrow('has already been used');

  network.mine();
  await network.sweep();
  for (const pack of await everywhere(registrationTxid)) {
    expect(pack).toMatchObject({ state: 'standing', initialMillicredits: 20_000, purchaseBurnTxid: burn });
    expect(pack!.blockHash).not.toBe(first.blockHash);
  }
  await expectSold(network, before, [sale]);
  expect(await buyer.statusAt(seller, offer)).toBe('completed');
});

test('a ticket that a reorganisation drops for good is written once more, and the burn still buys one pack', async () => {
  const offer = await buyer.offer(seller, credits('20'));
  const burn = await buyer.burn(offer);
  network.mine(3);
  const lost = (await buyer.confirm(seller, offer, burn)).pastel_api_credit_pack_ticket_registration_txid;
  await network.sweep();
  const { height } = (await everywhere(lost))[0]!;
  network.devnet.controls.reorganise(network.height - height + 1, { drop: [lost] });
  expect(moneyOf(network).tickets).toEqual(before.tickets);
  network.clock.advance(120_000);
  await network.sweep();
  network.mine();
  await network.sweep();
  const { registrationTxid } = (await purchaseAt(seller, requestHashOf(offer)))!;
  expect(registrationTxid).not.toBe(lost);
  await expectSold(network, before, [{ registrationTxid: registrationTxid!, payer: seller.user }]);
  for (const pack of await everywhere(registrationTxid!))
    expect(pack).toMatchObject({ state: 'standing', purchaseBurnTxid: burn });
  const another = await buyer.offer(network.supernodes[1]!, credits('10'));
  network.mine();
  expect((await refusalOf(buyer.confirm(network.supernodes[1]!, another, burn))).status).toBe(400);
});
