import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Leadership, LEASE_MS, Transactions } from '#database';
import { exchanges } from '#protocol';
import { testDatabases } from '../support/databases.js';
import { newIdentity, provenBy, send } from '../support/http-app.js';
import { costing, InferenceUser, quotedBy, serve } from '../support/inference-user.js';
import { TestNetwork, type RunningSupernode } from '../support/network.js';
import { Buyer, credits, expectSold, moneyOf } from '../support/purchase.js';

// Two processes of one supernode on one PostgreSQL: here two applications, which share nothing but the database, the PastelID and pasteld.
const OPEN_QUOTES_MAX = 7;
jest.setTimeout(120_000);
let network: TestNetwork;
let pair: readonly [RunningSupernode, RunningSupernode];

beforeAll(async () => {
  network = await TestNetwork.start();
  const first = network.supernodes[0]!;
  await network.stopSupernode(first);
  const environment = { INFERENCE_OPEN_QUOTES_PER_PASTELID_MAX: String(OPEN_QUOTES_MAX) };
  const options = { databaseUrl: await testDatabases()[1]!.url(), environment };
  const { app: _app, url: _url, ...facts } = first;
  pair = [
    await network.startSupernode(facts, options),
    await network.startSupernode({ ...facts, port: await freePort() }, options),
  ];
});
afterAll(() => network.close());

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
/** Who may spend the pack of `user` as well. */
const other = newIdentity();
let user: InferenceUser;
/** The balancer: one here, the next there. */
const turn = (n: number): RunningSupernode => pair[n % 2]!;

test('a challenge asked of one is answered at the other, once', async () => {
  const user = newIdentity();
  const proof = new URLSearchParams(await provenBy(pair[0].url, user));
  const answers = await Promise.all([0, 1, 0, 1].map((n) => send('GET', `${turn(n).url}/credit_notes?${proof.toString()}`)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
});

test('a purchase whose messages come here and there is one purchase, registered and paid once', async () => {
  const buyer = await Buyer.of(network);
  const before = moneyOf(network);
  const request = await buyer.request(credits('20'));
  const [quote, again] = await Promise.all(pair.map((node) => buyer.send(node, exchanges.purchaseRequest, request)));
  expect(again).toEqual(quote);
  const agreement = await buyer.agreement(quote as never);
  const offers = await network.until(Promise.all(pair.map((node) => buyer.send(node, exchanges.quoteResponse, agreement))));
  expect(offers[1]).toEqual(offers[0]);
  const confirmation = await buyer.confirmation(offers[0] as never, await buyer.burn(offers[0] as never));
  // Both wait for the ticket, and both sweep: four are at it.
  const completions = await network.until(
    Promise.all(pair.map((node) => buyer.send(node, exchanges.confirmation, confirmation))),
  );
  expect(completions[1]).toEqual(completions[0]);
  const { pastel_api_credit_pack_ticket_registration_txid: registrationTxid } = completions[0]!;
  await expectSold(network, before, [{ registrationTxid, payer: pair[0].user }]);
});

test('what a pack cannot pay is not promised, though both are asked at once; each paid request runs once', async () => {
  user = await InferenceUser.withPack(network, 59, [other]);
  const requests = [];
  for (let n = 0; n < 10; n++) requests.push(await user.request(costing(100)));
  const replies = await Promise.all(requests.map((request, n) => user.make(turn(n), request)));
  const granted = requests.flatMap((request, n) => (replies[n]!.status === 200 ? [{ request, reply: replies[n]! }] : []));
  expect(granted).toHaveLength(5);
  expect(await user.books(pair[1])).toMatchObject({ availableTenths: 90, heldTenths: 500 });

  const quotes = await Promise.all(granted.map(({ request, reply }) => quotedBy(request, reply)));
  for (const [n, quote] of quotes.entries()) await user.pay(turn(n), quote);
  network.mine();
  await network.sweep();
  await Promise.all(pair.map(serve));
  for (const [n, quote] of quotes.entries()) {
    const [here, there] = [await user.result(turn(n), quote.responseId), await user.result(turn(n + 1), quote.responseId)];
    expect(here.text).toBe(there.text);
  }
  const jobs = await pair[0].app
    .get(Transactions)
    .read((m) =>
      m.find<{ attempts: number; state: string; pack_txid: string }>('InferenceJob', { where: { pack_txid: user.packTxid } }),
    );
  expect(jobs.map(({ attempts, state }) => `${state} ${attempts}`)).toEqual(Array(5).fill('COMPLETED 1'));
  expect(await user.books(pair[0])).toMatchObject({ availableTenths: 90, heldTenths: 0, burnedTenths: 500 });
});

test('a PastelID has no more unpaid quotes than allowed, wherever it asks', async () => {
  const friend = user.as(other);
  const requests = [];
  for (let n = 0; n < OPEN_QUOTES_MAX + 3; n++) requests.push(await friend.request());
  const replies = await Promise.all(requests.map((request, n) => friend.make(turn(n), request)));
  expect(replies.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(OPEN_QUOTES_MAX);
  expect(replies.filter(({ status }) => status === 429)).toHaveLength(3);
});

test('one of them does the scheduled work, and the other goes on when it is gone', async () => {
  const leaderships = pair.map(({ app }) => app.get(Leadership));
  const leaders = () => leaderships.map(({ isOurs }) => isOurs).filter(Boolean).length;
  await Promise.all(leaderships.map((leadership) => leadership.campaign()));
  expect(leaders()).toBe(1);
  const follower = leaderships.find(({ isOurs }) => !isOurs)!;
  await follower.campaign();
  network.clock.advance(LEASE_MS);
  await follower.campaign();
  expect([leaders(), follower.isOurs]).toEqual([1, true]);

  await network.stopSupernode(pair.find(({ app }) => app.get(Leadership) === follower)!);
  const left = leaderships.find((leadership) => leadership !== follower)!;
  await left.campaign();
  expect(left.isOurs).toBe(true);
});
