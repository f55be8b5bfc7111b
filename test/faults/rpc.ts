import assert from 'node:assert/strict';
import { ChainUnavailable } from '#chain';
import { CreditPackSweeps } from '#credit-pack';
import { InferenceSweeps } from '#inference';
import { send, type Reply } from '../support/http-app.js';
import { seeded, shuffled, type Category, type Engine } from './contract.js';
import { breath } from '../support/turns.js';
import { Market } from './market/market.js';
import { RpcShim, troubles, type Trouble } from './market/rpc-shim.js';
import { Shared } from './shared.js';

const READY_SECONDS_MAX = 10;
const SECONDS_MAX = 100;
/** Turns of the event loop in which an answer may come while the clock stands still; more when what is waited for is a real time-out. */
const BREATHS = 6;
const BREATHS_LATER = 40;

interface Bench {
  readonly market: Market;
  readonly shim: RpcShim;
  readonly packTxid: string;
  readonly trackingAddress: string;
}
async function open(engine: Engine): Promise<Bench> {
  const market = await Market.open(engine);
  const shim = await RpcShim.before(market.network.rpcPort);
  const { registrationTxid: packTxid, trackingAddress } = await market.pack(5_000);
  await market.restart({ RPC_PORT: String(shim.port), RPC_TIMEOUT_IN_SECONDS: '1' });
  return { market, shim, packTxid, trackingAddress };
}
const benches = new Shared(open, async ({ market, shim }) => {
  // A node that stops may still ask.
  await shim.become(undefined);
  await market.close();
  await shim.close();
});

/** Lets the clock go until there is an answer, and tells how many seconds went by. */
async function timed<T>({ network }: Market, work: Promise<T>): Promise<{ value: T; seconds: number }> {
  let value: { readonly it: T } | undefined;
  let seconds = 0;
  const settled = work.then((it) => void (value = { it }));
  settled.catch(() => undefined);
  for (;;) {
    const breaths = seconds <= READY_SECONDS_MAX ? BREATHS : BREATHS_LATER;
    for (let turn = 0; turn < breaths && value === undefined; turn++) await Promise.race([settled, breath()]);
    if (value !== undefined) return { value: value.it, seconds };
    seconds++;
    if (seconds > SECONDS_MAX) throw new Error('There is no answer');
    network.clock.advance(1_000);
  }
}
const ready = ({ node }: Market): Promise<Reply> => send('GET', `${node.url}/health/ready`);

/** The node says so, refuses what it cannot judge, loses nothing, and works again as soon as pasteld does. */
async function inTrouble({ market, shim, packTxid, trackingAddress }: Bench, trouble: Trouble): Promise<void> {
  assert.equal((await timed(market, ready(market))).value.status, 200);
  const quoted = await market.quoted(packTxid);
  const before = await market.balance(packTxid);
  const counts = await market.counts(['challenge']);
  assert.ok(before.heldMillicredits > 0, 'nothing is held');
  const request = await market.usageRequest(packTxid);

  await shim.become(trouble);
  const { value: answer, seconds } = await timed(market, notReady(market));
  assert.equal(answer.status, 503, `ready said ${answer.status}: ${answer.text}`);
  assert.ok(seconds <= READY_SECONDS_MAX, `ready said so only after ${seconds} s`);
  const { node } = market;
  for (const [what, call] of [
    ['a request', () => market.post('make_inference_api_usage_request', { inference_api_usage_request: request })],
    ['the balance', () => market.post('check_credit_pack_balance', { credit_pack_ticket_txid: packTxid })],
    ['a payment', () => market.confirm(quoted.id, 'ab'.repeat(32))],
  ] as const) {
    const { status, text } = (await timed(market, call())).value;
    assert.ok(status === 503 || (what !== 'a request' && status < 500), `${what}: ${status} ${text.slice(0, 200)}`);
  }
  for (const sweeps of [node.app.get(CreditPackSweeps), node.app.get(InferenceSweeps)]) {
    const swept = sweeps.sweep(market.network.clock.now()).catch((error: unknown) => {
      if (!(error instanceof ChainUnavailable)) throw error;
    });
    await timed(market, swept);
  }
  assert.equal((await send('GET', `${node.url}/health/live`)).status, 200);

  await shim.become(undefined);
  market.network.clock.advance(2_000);
  const again = await timed(market, ready(market));
  assert.equal(again.value.status, 200, again.value.text);
  const after = await timed(market, market.balance(packTxid));
  assert.deepEqual(after.value, before, 'the balance moved');
  assert.deepEqual(await market.counts(['challenge']), counts, 'rows came or went');

  const txid = await market.burn(quoted.tenths, trackingAddress);
  const paid = await market.confirm(quoted.id, txid);
  assert.equal(paid.status, 200, paid.text);
  market.network.mine();
  await timed(market, market.serve());
  assert.equal(await market.stateOf(quoted.id), 'COMPLETED');
}
/** Asked again and again, as balancers do: answers a second old may still be good ones. */
async function notReady(market: Market): Promise<Reply> {
  for (;;) {
    const reply = await ready(market);
    if (reply.status !== 200) return reply;
    await market.network.clock.wait(1_000);
  }
}

/** What hangs does so until a real time-out: too long for a slice. */
const SLICE = troubles.filter((trouble) => trouble !== 'hanging');
const SLICE_MAX = 3;

export const rpc: Category = {
  name: 'rpc',
  seeds: 5,
  cases: ({ all, seed }) => {
    const drawn = all ? troubles : shuffled(seeded(seed), SLICE).slice(0, SLICE_MAX);
    return drawn.map((trouble) => ({
      name: trouble,
      // A slice opens one network.
      ...(!all && { engines: ['SQLite'] as const }),
      run: async (_seed, engine) => {
        try {
          await inTrouble(await benches.on(engine), trouble);
        } catch (error) {
          // The next one is not to suffer from it.
          await benches.leave().catch(() => undefined);
          throw error;
        }
      },
    }));
  },
  close: benches.leave,
};
