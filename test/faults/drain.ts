import assert from 'node:assert/strict';
import { constants } from 'node:os';
import {
  fundTrackingAddress,
  memoryJournal,
  purchaseCreditPack,
  runInference,
  type PurchasedPack,
  type PurchaseState,
  type UserSide,
} from '#client';
import { CreditPackPurchaseRequest, exchanges, PythonNumber, pythonTimestamp, seal, type Signing } from '#protocol';
import { provenBy, send, type Reply } from '../support/http-app.js';
import { seeded, type Category, type Engine } from './contract.js';
import { LiveNetwork } from './drain/live-network.js';
import type { Exit } from './drain/main-process.js';
import { breath } from '../support/turns.js';

const CREDITS = 20;
const GRACE_SECONDS = 25;
/** What the program takes for itself after the grace. */
const CLOSE_SECONDS_MAX = 5;
/** About what a start takes from its first word on. */
const START_MS = 2_000;
const READINESS_SECONDS_MAX = 2;
const CLEAN: Exit = { code: 0, signal: null };

interface Buying {
  readonly signing: Signing;
  readonly pack: Promise<PurchasedPack>;
  /** What the client says of its attempts to confirm. */
  readonly said: string[];
}

/** Purchases whose burn is named and not mined: their calls wait for the chain. */
async function confirming(live: LiveNetwork, count: number, chance: () => number): Promise<Buying[]> {
  const sides = Array.from({ length: count }, () => live.side(chance));
  const addresses: string[] = [];
  for (const side of sides) addresses.push((await fundTrackingAddress(side, CREDITS)).address);
  live.network.mine();
  const buying = sides.map((side, i): Buying => {
    const said: string[] = [];
    const options = {
      credits: CREDITS,
      trackingAddress: addresses[i]!,
      journal: memoryJournal<PurchaseState>(),
      tieBreak: live.tieBreak,
    };
    const pack = purchaseCreditPack({ ...side, report: ({ text }) => void said.push(text) }, options);
    pack.catch((error: unknown) => said.push(String(error)));
    return { signing: side.signing, pack, said };
  });
  await live
    .see(`${count} purchases that wait for the chain`, async () => (await purchasesIn(live, 'claimed')) === count)
    .catch((error: Error) => assert.fail(`${error.message}\n${saidTo(buying)}`));
  return buying;
}
const purchasesIn = async (live: LiveNetwork, state: string): Promise<number> =>
  (await live.rows<{ state: string }>('credit_pack_purchase', 'state')).filter((row) => row.state === state).length;
const saidTo = (buying: readonly Buying[]): string => buying.map(({ said }) => said.join('\n')).join('\n\n');

/** A signed wish for a pack, challenge answered, ready to go. */
async function wish(live: LiveNetwork, side: UserSide): Promise<() => Promise<Reply>> {
  const { signing } = side;
  const draft = {
    requesting_end_user_pastelid: signing.pastelId,
    requested_initial_credits_in_credit_pack: PythonNumber.read(String(CREDITS)),
    list_of_authorized_pastelids_allowed_to_use_credit_pack: JSON.stringify([signing.pastelId]),
    credit_usage_tracking_psl_address: await side.wallet.newAddress(),
    request_timestamp_utc_iso_string: pythonTimestamp(side.clock.now()),
    request_pastel_block_height: live.network.height,
    credit_purchase_request_message_version_string: '1.0',
  };
  const { path, key } = exchanges.purchaseRequest;
  const body = { [key]: await seal(CreditPackPurchaseRequest, draft, signing), ...(await provenBy(live.url, signing)) };
  return () => send('POST', `${live.url}/${path}`, body);
}

/** Of what is asked while pasteld is slow. */
async function slowly<T>(live: LiveNetwork, latencyMs: number, work: () => Promise<T>): Promise<T> {
  const { faults } = live.network.devnet;
  faults.latencyMs = latencyMs;
  try {
    return await work();
  } finally {
    faults.latencyMs = 0;
  }
}

/** In seconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** Not ready at once, and nothing new is begun. */
async function expectRefusing(live: LiveNetwork): Promise<void> {
  await live.see('not ready', async () => (await live.readiness()) === 503, READINESS_SECONDS_MAX);
  assert.equal((await live.get('/health/live')).status, 200);
  const refused = await live.get('/liveness_ping');
  assert.deepEqual(
    [refused.status, refused.headers['retry-after'], refused.json()],
    [503, '10', { detail: 'This supernode is stopping' }],
  );
}

/** Every purchase completes; the buyer has burned once, and the pack is on the list. */
async function expectPacks(live: LiveNetwork, buying: readonly Buying[]): Promise<void> {
  const packs = await live
    .until('the purchases', Promise.all(buying.map(({ pack }) => pack)))
    .catch((error: Error) => assert.fail(`${error.message}\n${saidTo(buying)}`));
  for (const [i, { signing }] of buying.entries()) {
    const { registrationTxid } = packs[i]!;
    await live.until(
      "the owner's list",
      live.see(`the pack ${registrationTxid}`, async () =>
        (await live.client(signing).packs()).some((pack) => pack.registrationTxid === registrationTxid),
      ),
    );
    assert.equal((await live.client(signing).packs()).length, 1, 'one pack each');
  }
  assert.equal(new Set(packs.map(({ burnTxid }) => burnTxid)).size, buying.length, 'each has burned once');
  await live.expectSound();
}
const expectTold = (buying: readonly Buying[]): void => {
  for (const { said } of buying)
    assert.match(said.join('\n'), /\(503\): This supernode is stopping; the purchase goes on/, 'what a waiting call was told');
};

const cutIn = (answer: PromiseSettledResult<Reply>): string[] =>
  answer.status === 'rejected' ? [String(answer.reason)] : answer.value.status === 200 ? [] : [answer.value.text];

/** What has begun is answered, what waits is told that it goes on, and after the next start it does. */
async function drained(live: LiveNetwork, requests: number, purchases: number, chance: () => number): Promise<void> {
  const main = await live.start({ SHUTDOWN_GRACE_IN_SECONDS: String(GRACE_SECONDS) });
  const buying = await confirming(live, purchases, chance);
  const wishes: (() => Promise<Reply>)[] = [];
  for (let i = 0; i < requests; i++) wishes.push(await wish(live, live.side(chance)));
  assert.equal(await live.readiness(), 200);

  const { answers } = await slowly(live, 2_000 + 30 * requests, async () => {
    const answers = Promise.allSettled(wishes.map((ask) => ask()));
    await live.see(`${requests} requests underway`, async () => (await live.underway()) === requests + purchases);
    main.signal('SIGTERM');
    await expectRefusing(live);
    assert.equal(main.isGone, false, 'it waits for what runs');
    return { answers };
  });
  const seconds = await timed(async () => {
    assert.deepEqual((await answers).flatMap(cutIn), [], 'no request is cut or refused that had begun');
    assert.deepEqual(await main.exit, CLEAN, main.output);
  });
  assert.ok(seconds <= GRACE_SECONDS - READINESS_SECONDS_MAX, `it took ${seconds} s to stop`);
  assert.match(main.output, /^Stopped$/m);
  expectTold(buying);
  assert.deepEqual([await purchasesIn(live, 'claimed'), await purchasesIn(live, 'quoted')], [purchases, requests], 'the books');

  await live.start();
  await expectPacks(live, buying);
}

/** What may not come to its end is cut off or handed back, and goes on after the next start; it is charged once. */
async function cutOff(live: LiveNetwork, chance: () => number): Promise<void> {
  const graceSeconds = 4;
  const main = await live.start({ SHUTDOWN_GRACE_IN_SECONDS: String(graceSeconds) });
  const side = live.side(chance);
  const { address } = await fundTrackingAddress(side, CREDITS);
  live.network.mine();
  const { registrationTxid } = await live.until(
    'a purchase',
    purchaseCreditPack(side, { credits: CREDITS, trackingAddress: address, tieBreak: live.tieBreak }),
  );
  await live.until(
    "the owner's list",
    live.see('the pack', async () => (await live.client(side.signing).packs()).length === 1),
  );
  const outcome = runInference(side, {
    packTxid: registrationTxid,
    model: 'sandbox-echo',
    input: 'Hello there',
    parameters: { sandbox_delay_ms: 9_000 },
    tieBreak: live.tieBreak,
  });
  const states = () => live.rows<{ state: string; attempts: number | string }>('inference_requests', 'state', 'attempts');
  const isExecuting = async (): Promise<boolean> => (await states()).some(({ state }) => state === 'EXECUTING');
  await live.until('the burn to be seen', Promise.race([outcome, live.see('a provider that runs', isExecuting)]));
  const ask = await wish(live, live.side(chance));

  const { cut } = await slowly(live, 15_000, async () => {
    const cut = ask().catch((error: NodeJS.ErrnoException) => error.code);
    await live.see('a request underway', async () => (await live.underway()) >= 1);
    main.signal('SIGINT');
    const seconds = await timed(async () => {
      await expectRefusing(live);
      assert.deepEqual(await main.exit, CLEAN, main.output);
    });
    assert.ok(seconds >= graceSeconds && seconds <= graceSeconds + CLOSE_SECONDS_MAX, `it took ${seconds} s to stop`);
    return { cut };
  });
  assert.equal(await cut, 'ECONNRESET');
  assert.match(main.output, /^Stopped; .* goes on at the next start$/m);
  assert.deepEqual(plain(await states()), [{ state: 'CONFIRMED', attempts: 0 }], 'handed back, and not counted');

  await live.start();
  const { unserved, output } = await live.until('the inference', outcome);
  assert.equal(unserved, undefined, JSON.stringify(output));
  assert.deepEqual(plain(await states()), [{ state: 'COMPLETED', attempts: 1 }]);
  await live.expectSound();
}
const plain = (rows: readonly { state: string; attempts: number | string }[]) =>
  rows.map(({ state, attempts }) => ({ state, attempts: Number(attempts) }));

/** A second signal does not wait for anything; the purchase goes on all the same. */
async function twice(live: LiveNetwork, chance: () => number): Promise<void> {
  const main = await live.start();
  const buying = await confirming(live, 1, chance);
  const ask = await wish(live, live.side(chance));
  await slowly(live, 15_000, async () => {
    const cut = ask().catch((error: NodeJS.ErrnoException) => error.code);
    await live.see('a request underway', async () => (await live.underway()) === 2);
    main.signal('SIGTERM');
    await expectRefusing(live);
    const second = chance() < 0.5 ? 'SIGTERM' : 'SIGINT';
    main.signal(second);
    const seconds = await timed(async () =>
      assert.deepEqual(await main.exit, { code: 128 + constants.signals[second], signal: null }),
    );
    assert.ok(seconds < 1, `it took ${seconds} s to end`);
    assert.equal(await cut, 'ECONNRESET');
  });
  await live.start();
  await expectPacks(live, buying);
}

/** Whenever it comes, on a new database and while pasteld says nothing: it ends at once, and the next start is as good as the first. */
async function whileStarting(live: LiveNetwork, chance: () => number): Promise<void> {
  for (const latencyMs of [0, 0, 0, 15_000, 15_000]) {
    await slowly(live, latencyMs, async () => {
      const main = live.begin();
      await live.see('a sign of life', async () => main.output !== '');
      await breath(chance() * START_MS);
      main.signal(chance() < 0.5 ? 'SIGTERM' : 'SIGINT');
      const seconds = await timed(async () => assert.deepEqual(await main.exit, CLEAN, main.output));
      assert.ok(seconds <= CLOSE_SECONDS_MAX, `it took ${seconds} s to end: ${main.output}`);
    });
  }
  const main = await live.start();
  main.signal('SIGTERM');
  assert.deepEqual(await main.exit, CLEAN, main.output);
  await live.expectSound();
}

async function inNewNetwork(engine: Engine, supernodes: number, story: (live: LiveNetwork) => Promise<void>): Promise<void> {
  const live = await LiveNetwork.open(engine, supernodes);
  try {
    await story(live);
  } finally {
    await live.close();
  }
}

/** The program that operators start is asked to stop: while it serves and waits, while it starts, impatiently, for longer than it may. */
export const drain: Category = {
  name: 'drain',
  seeds: 3,
  cases: ({ all }) => {
    const [requests, purchases, supernodes] = all ? [100, 20, 5] : [8, 2, 3];
    const stories: Record<string, (live: LiveNetwork, chance: () => number) => Promise<void>> = {
      [`SIGTERM with ${requests} requests and ${purchases} purchases in flight`]: (live, chance) =>
        drained(live, requests, purchases, chance),
      ...(all && {
        'SIGINT, and a provider that runs for longer than the grace': cutOff,
        'a second signal': twice,
        'a signal during the start': whileStarting,
      }),
    };
    return Object.entries(stories).map(([name, story]) => ({
      name,
      // A slice opens one network.
      ...(!all && { engines: ['SQLite'] as const }),
      secondsMax: 300,
      run: (seed, engine) => inNewNetwork(engine, supernodes, (live) => story(live, seeded(seed))),
    }));
  },
};
