import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { byDistanceTo, exchanges } from '#protocol';
import { booksOnFile, type BooksOnFile } from '../support/databases.js';
import { TestNetwork, type RunningSupernode } from '../support/network.js';
import {
  Buyer,
  expectNothingSold,
  expectSold,
  moneyOf,
  purchaseAt,
  refusalOf,
  requestHashOf,
  type Money,
} from '../support/purchase.js';

const RETRY_BLOCKS = 10;
jest.setTimeout(60_000);
let network: TestNetwork;
let books: BooksOnFile;
let seller: RunningSupernode;
let buyer: Buyer;
let before: Money;

beforeAll(async () => {
  books = await booksOnFile();
  network = await TestNetwork.start();
  await network.stopSupernode(network.supernodes[0]!);
  seller = await network.startSupernode(network.devnet.supernodes[0]!, { databaseUrl: books.url });
});
beforeEach(async () => {
  buyer = await Buyer.of(network);
  before = moneyOf(network);
});
afterAll(async () => {
  await network.close();
  await books.remove();
});

/** The seller is gone after its offer; the burn is mined, and the agreeing supernodes know of both. */
async function abandoned({ isClaimed }: { isClaimed: boolean }) {
  const offer = await buyer.offer(seller);
  await network.sweep();
  const confirmation = await buyer.confirmation(offer, await buyer.burn(offer));
  if (isClaimed) {
    buyer.send(seller, exchanges.confirmation, confirmation).catch(() => undefined);
    await network.see(async () => (await purchaseAt(seller, requestHashOf(offer)))?.state === 'claimed');
  }
  await network.stopSupernode(seller);
  network.mine();
  const agreeing = offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms;
  const peers = network.supernodes.filter(({ pastelId }) => agreeing.includes(pastelId));
  for (const peer of peers) await buyer.send(peer, exchanges.confirmationAnnouncement, confirmation);
  const [closestId] = byDistanceTo(buyer.signing.pastelId, agreeing);
  const closest = peers.find(({ pastelId }) => pastelId === closestId)!;
  return { offer, confirmation, closest, others: peers.filter((peer) => peer !== closest) };
}
async function comesBack(): Promise<void> {
  seller = await network.startSupernode(network.devnet.supernodes[0]!, { databaseUrl: books.url });
}

test('the closest agreeing supernode stores the ticket of a seller that died, once, and says so as often as it is asked', async () => {
  const { offer, confirmation, closest, others } = await abandoned({ isClaimed: false });
  const retryAt = async (node: RunningSupernode, addressee = node) =>
    buyer.send(node, exchanges.storageRetry, await buyer.storageRetry(offer, addressee.pastelId));
  expect((await refusalOf(retryAt(closest))).detail).toContain(`more than ${RETRY_BLOCKS} blocks after the confirmation`);
  network.mine(RETRY_BLOCKS);
  for (const other of others)
    for (const addressee of [other, closest])
      expect(await refusalOf(retryAt(other, addressee))).toEqual({
        status: 400,
        detail: expect.stringContaining('This supernode is not the closest agreeing one to the PastelID of the buyer'),
      });
  await expectNothingSold(network, before);

  const retry = await buyer.storageRetry(offer, closest.pastelId);
  const answer = await network.until(buyer.send(closest, exchanges.storageRetry, retry));
  const success = {
    credit_pack_storage_retry_confirmation_outcome_string: 'success',
    credit_pack_storage_retry_confirmation_failure_reason_if_applicable: 'NA',
    pastel_api_credit_pack_ticket_registration_txid: answer.pastel_api_credit_pack_ticket_registration_txid,
  };
  expect(answer).toMatchObject(success);
  const sale = { registrationTxid: answer.pastel_api_credit_pack_ticket_registration_txid, payer: closest.user };
  await expectSold(network, before, [sale]);

  // The same message, and another one that asks for the same: the ticket that stands.
  expect(await buyer.send(closest, exchanges.storageRetry, retry)).toEqual(answer);
  network.mine(2);
  expect(await network.until(retryAt(closest))).toMatchObject(success);
  await expectSold(network, before, [sale]);

  // The seller comes back and is told of the burn at last: it writes no second ticket.
  await comesBack();
  await network.sweep();
  expect(await refusalOf(buyer.confirm(seller, offer, confirmation.txid_of_credit_purchase_burn_transaction))).toEqual({
    status: 400,
    detail: 'The burn transaction has paid for another credit pack already',
  });
  await expectSold(network, before, [sale]);
});

test('a seller that knew of the burn finds the ticket of the other when it comes back, and completes the purchase with it', async () => {
  const { offer, confirmation, closest } = await abandoned({ isClaimed: true });
  network.mine(RETRY_BLOCKS);
  const retry = await buyer.storageRetry(offer, closest.pastelId);
  const answer = await network.until(buyer.send(closest, exchanges.storageRetry, retry));
  const registrationTxid = answer.pastel_api_credit_pack_ticket_registration_txid;
  await comesBack();
  await network.sweep();
  expect(await purchaseAt(seller, requestHashOf(offer))).toMatchObject({ state: 'completed', registrationTxid });
  expect(await buyer.send(seller, exchanges.confirmation, confirmation)).toMatchObject({
    credit_pack_confirmation_outcome_string: 'success',
    pastel_api_credit_pack_ticket_registration_txid: registrationTxid,
  });
  await expectSold(network, before, [{ registrationTxid, payer: closest.user }]);
});

test('a retry where the burn is missing ends in a signed failure, and no ticket', async () => {
  const offer = await buyer.offer(seller);
  await network.sweep();
  const confirmation = await buyer.confirmation(offer, 'ab'.repeat(32));
  const agreeing = offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms;
  const [closestId] = byDistanceTo(buyer.signing.pastelId, agreeing);
  const closest = network.supernodes.find(({ pastelId }) => pastelId === closestId)!;
  await buyer.send(closest, exchanges.confirmationAnnouncement, confirmation);
  network.mine(51);
  const retry = await buyer.storageRetry(offer, closest.pastelId);
  expect(await network.until(buyer.send(closest, exchanges.storageRetry, retry))).toMatchObject({
    credit_pack_storage_retry_confirmation_outcome_string: 'failure',
    pastel_api_credit_pack_ticket_registration_txid: '',
  });
  await expectNothingSold(network, before);
});
