import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { exchanges, type CreditPackPurchaseRequestConfirmation as Confirmation } from '#protocol';
import { booksOnFile, type BooksOnFile } from '../support/databases.js';
import { TestNetwork, type RunningSupernode } from '../support/network.js';
import {
  Buyer,
  expectSold,
  moneyOf,
  purchaseAt,
  refusalOf,
  requestHashOf,
  type Money,
  type PurchaseFacts,
} from '../support/purchase.js';

const REGISTER = 'tickets register contract';
jest.setTimeout(60_000);
let network: TestNetwork;
let books: BooksOnFile;
let seller: RunningSupernode;
let buyer: Buyer;
let before: Money;

beforeAll(async () => {
  books = await booksOnFile();
  network = await TestNetwork.start();
  seller = network.supernodes[0]!;
  await restart();
});
beforeEach(async () => {
  buyer = await Buyer.of(network);
  before = moneyOf(network);
});
afterEach(() => network.devnet.faults.clear());
afterAll(async () => {
  await network.close();
  await books.remove();
});

/** The seller stops and starts on the same books. */
async function restart(): Promise<void> {
  await network.stopSupernode(seller);
  seller = await network.startSupernode(seller, { databaseUrl: books.url });
}
/** A purchase whose burn is sent and whose confirmation is ready. */
async function paid() {
  const offer = await buyer.offer(seller);
  const confirmation = await buyer.confirmation(offer, await buyer.burn(offer));
  const row = (): Promise<PurchaseFacts | undefined> => purchaseAt(seller, requestHashOf(offer));
  const isIn = (state: string) => network.see(async () => (await row())?.state === state);
  return { offer, confirmation, row, isIn };
}
const confirm = (confirmation: Confirmation) => buyer.send(seller, exchanges.confirmation, confirmation);
/** The call of a supernode that stops ends without an answer, and the buyer knows nothing. */
async function expectCutOff(call: Promise<unknown>): Promise<void> {
  const name = await call.then(
    () => 'an answer',
    (error: Error) => error.name,
  );
  expect(['SupernodeUnreachable', 'SupernodeRefused']).toContain(name);
}
async function expectCompleted(confirmation: Confirmation): Promise<void> {
  const completion = await network.until(confirm(confirmation));
  expect(completion.credit_pack_confirmation_outcome_string).toBe('success');
  const registrationTxid = completion.pastel_api_credit_pack_ticket_registration_txid;
  await expectSold(network, before, [{ registrationTxid, payer: seller.user }]);
}

describe('a supernode that stops', () => {
  test('between burn and registration goes on by itself when it is started again', async () => {
    const { confirmation, row, isIn } = await paid();
    const call = confirm(confirmation);
    call.catch(() => undefined);
    await isIn('claimed');
    await restart();
    await expectCutOff(call);
    network.mine();
    await network.sweep();
    network.mine();
    await network.sweep();
    expect(await row()).toMatchObject({ state: 'completed' });
    await expectCompleted(confirmation);
  });

  test('between registration and answer finds its ticket when it is started again', async () => {
    const { confirmation, row, isIn } = await paid();
    network.mine();
    const call = confirm(confirmation);
    call.catch(() => undefined);
    await isIn('registering');
    const { registrationTxid } = await network.see(async () => {
      const known = await row();
      return known?.registrationTxid != null && known;
    });
    await restart();
    await expectCutOff(call);
    expect(moneyOf(network).tickets).toEqual(before.tickets);
    network.mine();
    await network.sweep();
    expect(await row()).toMatchObject({ state: 'completed', registrationTxid });
    await expectCompleted(confirmation);
  });

  test('before it learned that its ticket was taken learns it when it is started again', async () => {
    const { confirmation, isIn } = await paid();
    network.mine();
    // The ticket is sent; the answer is lost, and so is the node's word on all that follows.
    network.devnet.faults.failNext(REGISTER, 1, { kind: 'lost-answer' }, seller.user);
    const call = confirm(confirmation);
    call.catch(() => undefined);
    await isIn('registering');
    await network.see(async () => network.devnet.state.mempool.size > 0);
    network.devnet.faults.failNext('*', 10_000, { kind: 'reset' }, seller.user);
    await network.stopSupernode(seller);
    await expectCutOff(call);
    network.devnet.faults.clear();
    seller = await network.startSupernode(seller, { databaseUrl: books.url });
    await expectCompleted(confirmation);
  });
});

describe('a node that', () => {
  test('loses the answer to the registration is not asked to register twice', async () => {
    const { confirmation } = await paid();
    network.devnet.faults.failNext(REGISTER, 1, { kind: 'lost-answer' }, seller.user);
    await expectCompleted(confirmation);
  });

  test.each([
    { what: 'drops the connection', fault: { kind: 'reset' } },
    { what: 'answers with nonsense', fault: { kind: 'http-500' } },
    { what: 'says no', fault: { kind: 'error', code: -1, message: 'Ticket (contract) is invalid. Not now' } },
  ] as const)(
    '$what when it should register is asked again',
    async ({ fault }) => {
      const { confirmation } = await paid();
      network.devnet.faults.failNext(REGISTER, 3, fault, seller.user);
      await expectCompleted(confirmation);
    },
    40_000,
  );

  test('is away for a while holds the purchase up, no more', async () => {
    const { confirmation, row, isIn } = await paid();
    const call = confirm(confirmation);
    await isIn('claimed');
    network.devnet.faults.failNext('*', 10_000, { kind: 'reset' }, seller.user);
    network.mine(3);
    let looks = 0;
    await network.see(async () => {
      network.clock.advance(3000);
      return ++looks === 20;
    });
    expect(await row()).toMatchObject({ state: 'claimed', confirmation: expect.anything() });
    network.devnet.faults.clear();
    const completion = await network.until(call);
    expect(completion.credit_pack_confirmation_outcome_string).toBe('success');
    await expectCompleted(confirmation);
  });

  test('is away when the confirmation comes leaves the buyer to send it again; it is paid once', async () => {
    const { confirmation, row } = await paid();
    network.mine();
    network.devnet.faults.failNext('getrawtransaction', 10_000, { kind: 'http-500' }, seller.user);
    const refusal = refusalOf(confirm(confirmation));
    let isOver = false;
    void refusal.finally(() => (isOver = true));
    // No sweeps meanwhile: they would wait for the node as well.
    await network.see(async () => {
      network.clock.advance(1000);
      return isOver;
    });
    expect(await refusal).toMatchObject({ status: 503 });
    expect(await row()).toMatchObject({ state: 'agreed', confirmation: null });
    network.devnet.faults.clear();
    await expectCompleted(confirmation);
  });
});
