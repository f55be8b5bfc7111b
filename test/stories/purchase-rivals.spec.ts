import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import {
  composeTicket,
  CREDIT_PACK_TICKET_SUBTYPE,
  exchanges,
  type CreditPackPurchaseRequestConfirmation as Confirmation,
  type CreditPackPurchaseRequestResponse as Offer,
} from '#protocol';
import { TestNetwork, type RunningSupernode } from '../support/network.js';
import {
  Buyer,
  credits,
  expectPaid,
  expectSold,
  moneyOf,
  packsAt,
  refusalOf,
  requestHashOf,
  purchaseAt,
  totalOf,
  type Money,
} from '../support/purchase.js';

jest.setTimeout(60_000);
let network: TestNetwork;
let buyer: Buyer;
let before: Money;
let one: RunningSupernode;
let two: RunningSupernode;

beforeAll(async () => {
  network = await TestNetwork.start();
  [one, two] = network.supernodes as [RunningSupernode, RunningSupernode];
});
beforeEach(async () => {
  buyer = await Buyer.of(network);
  before = moneyOf(network);
});
afterAll(() => network.close());

/** Two offers of a buyer, and one burn that would pay for either: tied to the address of the first, exact for the second. */
async function twoOffersOneBurn(sellers: readonly [RunningSupernode, RunningSupernode]) {
  const offers = [await buyer.offer(sellers[0], credits('20')), await buyer.offer(sellers[1], credits('30'))] as const;
  await network.sweep();
  const burn = await buyer.burnWithChange(totalOf(offers[1]), offers[0].credit_usage_tracking_psl_address);
  return { offers, burn };
}
/** As anybody can who has the messages of a purchase; the user's own wallet pays for it. */
async function registerDirectly(offer: Offer, confirmation: Confirmation): Promise<string> {
  const { json, fullyParsedHash } = composeTicket(offer, confirmation);
  const ticket = { data: json, subType: CREDIT_PACK_TICKET_SUBTYPE, secondaryKey: fullyParsedHash };
  return (await network.user.chain.registerContractTicket(ticket)).txid;
}
/** The one pack of this burn, on every supernode. */
async function standingOf(burn: string): Promise<string> {
  network.mine();
  await network.sweep();
  const standing = new Set<string>();
  for (const node of network.supernodes) {
    const ofBurn = (await packsAt(node)).filter(
      ({ purchaseBurnTxid, state }) => purchaseBurnTxid === burn && state === 'standing',
    );
    expect(ofBurn).toHaveLength(1);
    standing.add(ofBurn[0]!.registrationTxid);
  }
  expect(standing.size).toBe(1);
  return [...standing][0]!;
}

test('one burn for two purchases at one supernode, at once: one pack, one ticket, ten PSL', async () => {
  const { offers, burn } = await twoOffersOneBurn([one, one]);
  const confirmations = await Promise.all(offers.map((offer) => buyer.confirmation(offer, burn)));
  const answers = await network.until(
    Promise.all(confirmations.map((confirmation) => buyer.send(one, exchanges.confirmation, confirmation))),
  );
  const good = answers.filter((answer) => answer.credit_pack_confirmation_outcome_string === 'success');
  expect(good).toHaveLength(1);
  const bad = answers.find((answer) => answer !== good[0])!;
  expect(bad).toMatchObject({
    credit_pack_confirmation_outcome_string: 'failure',
    pastel_api_credit_pack_ticket_registration_txid: '',
  });
  expect(bad.credit_pack_confirmation_failure_reason_if_applicable).toContain('has paid for another credit pack already');
  const registrationTxid = good[0]!.pastel_api_credit_pack_ticket_registration_txid;
  await expectSold(network, before, [{ registrationTxid, payer: one.user }]);
});

test('one burn for two purchases at two supernodes, one after the other: the second is refused', async () => {
  const { offers, burn } = await twoOffersOneBurn([one, two]);
  const completion = await buyer.confirm(one, offers[0], burn);
  const registrationTxid = completion.pastel_api_credit_pack_ticket_registration_txid;
  expect(await refusalOf(buyer.confirm(two, offers[1], burn))).toEqual({
    status: 400,
    detail: 'The burn transaction has paid for another credit pack already',
  });
  expect(await purchaseAt(two, requestHashOf(offers[1]))).toMatchObject({ state: 'agreed', confirmation: null });
  await expectSold(network, before, [{ registrationTxid, payer: one.user }]);
});

test('one burn for two purchases at two supernodes, at once: whatever they write, one pack stands on every node', async () => {
  const { offers, burn } = await twoOffersOneBurn([one, two]);
  network.mine();
  const confirmations = await Promise.all(offers.map((offer) => buyer.confirmation(offer, burn)));
  const answers = await network.until(
    Promise.all([
      buyer.send(one, exchanges.confirmation, confirmations[0]!),
      buyer.send(two, exchanges.confirmation, confirmations[1]!),
    ]),
  );
  const winner = await standingOf(burn);
  const good = answers.filter((answer) => answer.credit_pack_confirmation_outcome_string === 'success');
  expect(good.map((answer) => answer.pastel_api_credit_pack_ticket_registration_txid)).toEqual([winner]);
});

test('a rival ticket that its owner registers later counts nowhere', async () => {
  const { offers, burn } = await twoOffersOneBurn([one, two]);
  network.mine();
  const rival = await buyer.confirmation(offers[1], burn);
  const completion = await buyer.confirm(one, offers[0], burn);
  const registrationTxid = completion.pastel_api_credit_pack_ticket_registration_txid;
  const rivalTxid = await registerDirectly(offers[1], rival);
  expect(await standingOf(burn)).toBe(registrationTxid);
  expect(moneyOf(network).tickets).toContain(rivalTxid);
  expectPaid(before, moneyOf(network), [{ registrationTxid, payer: one.user }]);
});

test('a rival ticket that stands first wins on every node, and the seller of the other writes none', async () => {
  const { offers, burn } = await twoOffersOneBurn([one, two]);
  network.mine();
  const rivalTxid = await registerDirectly(offers[1], await buyer.confirmation(offers[1], burn));
  network.mine();
  expect((await refusalOf(buyer.confirm(one, offers[0], burn))).detail).toContain('has paid for another credit pack already');
  expect(await standingOf(burn)).toBe(rivalTxid);
  await expectSold(network, before, [{ registrationTxid: rivalTxid }]);
});

test('the very ticket of a purchase, registered by its buyer, completes the purchase and costs the seller nothing', async () => {
  const offer = await buyer.offer(one);
  const burn = await buyer.burn(offer);
  network.mine();
  const confirmation = await buyer.confirmation(offer, burn);
  const registrationTxid = await registerDirectly(offer, confirmation);
  const completion = await network.until(buyer.send(one, exchanges.confirmation, confirmation));
  expect(completion).toMatchObject({
    credit_pack_confirmation_outcome_string: 'success',
    pastel_api_credit_pack_ticket_registration_txid: registrationTxid,
  });
  await expectSold(network, before, [{ registrationTxid }]);
});
