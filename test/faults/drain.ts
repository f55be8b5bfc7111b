import assert from 'node:assert/strict';
import {
  fundTrackingAddress,
  memoryJournal,
  purchaseCreditPack,
  SupernodeClient,
  type PurchasedPack,
  type PurchaseState,
} from '#client';
import type { Supernode } from '#chain';
import {
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  exchanges,
  pooledChecking,
  PythonNumber,
  pythonTimestamp,
  seal,
  type Signing,
} from '#protocol';
import { seeded, type Category, type Engine } from './contract.js';
import { breath } from '../support/turns.js';
import { World } from './crash/world.js';

/** Before each answer of pasteld, by the clock of the world, which stands still then: whatever needs an answer is held up. */
const LATENCY_MS = 250;
const LOOKS_MAX = 800;
const TURN_MS = 50;
const CREDITS = 20;

interface Buying {
  readonly signing: Signing;
  readonly pack: Promise<PurchasedPack>;
  /** What the client says of its attempts to confirm. */
  readonly said: string[];
}

async function see(world: World, what: string, look: () => Promise<boolean>, turnMs = 0): Promise<void> {
  for (let looks = 0; !(await look()); looks++) {
    if (looks === LOOKS_MAX) assert.fail(`Does not show: ${what}`);
    await breath();
    if (turnMs > 0) await world.advance(turnMs);
  }
}

/** Purchases whose burn is named and not mined: their calls wait for the chain. */
async function confirming(world: World, count: number, chance: () => number): Promise<Buying[]> {
  const sides = Array.from({ length: count }, () => world.side(world.signing(chance)));
  const addresses: string[] = [];
  for (const side of sides) addresses.push((await fundTrackingAddress(side, CREDITS)).address);
  await world.mine();
  const buying = sides.map((side, i): Buying => {
    const said: string[] = [];
    const journal = memoryJournal<PurchaseState>();
    const options = {
      credits: CREDITS,
      trackingAddress: addresses[i]!,
      journal,
      tieBreak: (a: Supernode, b: Supernode) =>
        Number(b.pastelId === world.patient.pastelId) - Number(a.pastelId === world.patient.pastelId),
    };
    const pack = purchaseCreditPack({ ...side, report: ({ text }) => void said.push(text) }, options);
    pack.catch(() => undefined);
    return { signing: side.signing, pack, said };
  });
  const claimed = async (): Promise<boolean> =>
    (await world.rows<{ state: string }>('credit_pack_purchase', 'state')).filter(({ state }) => state === 'claimed').length ===
    count;
  await see(world, `${count} purchases that wait for the chain`, claimed, TURN_MS);
  return buying;
}

const clientOf = (world: World, signing: Signing): SupernodeClient =>
  new SupernodeClient({ url: world.patient.url, signing, checking: pooledChecking, timeoutMs: 60_000 });

async function quoted(world: World, signing: Signing, trackingAddress: string): Promise<void> {
  const draft = {
    requesting_end_user_pastelid: signing.pastelId,
    requested_initial_credits_in_credit_pack: PythonNumber.read(String(CREDITS)),
    list_of_authorized_pastelids_allowed_to_use_credit_pack: JSON.stringify([signing.pastelId]),
    credit_usage_tracking_psl_address: trackingAddress,
    request_timestamp_utc_iso_string: pythonTimestamp(world.clock.now()),
    request_pastel_block_height: world.height,
    credit_purchase_request_message_version_string: '1.0',
  };
  const request = await seal(CreditPackPurchaseRequest, draft, signing);
  const answer = await clientOf(world, signing).exchange(exchanges.purchaseRequest, request);
  assert.ok(answer instanceof CreditPackPurchaseRequestPreliminaryPriceQuote, 'a quote');
}

const readiness = async (world: World): Promise<number> => (await fetch(`${world.patient.url}/health/ready`)).status;

async function drained(world: World, requests: number, purchases: number, chance: () => number): Promise<void> {
  const buying = await confirming(world, purchases, chance);
  assert.equal(await readiness(world), 200);

  const { faults } = world.network.devnet;
  const asking: Promise<void>[] = [];
  const addresses: string[] = [];
  const { wallet } = world.network.user;
  for (let i = 0; i < requests; i++) addresses.push(await wallet.newAddress());
  faults.latencyMs = LATENCY_MS + 15 * requests;
  for (const address of addresses) asking.push(quoted(world, world.signing(chance), address));
  const answers = Promise.allSettled(asking);
  try {
    await see(world, `${requests} requests underway`, async () => (await world.underway()) >= requests + purchases);
    const exit = world.terminate();
    await see(world, 'not ready', async () => (await readiness(world)) === 503);
    faults.latencyMs = 0;
    world.clock.advance(LATENCY_MS + 15 * requests);
    const cut = (await answers).flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    assert.deepEqual(cut, [], 'no request is cut or refused that had begun');
    assert.equal(await exit, 0, 'the exit code');
  } finally {
    faults.latencyMs = 0;
  }
  for (const { said } of buying)
    assert.match(said.join('\n'), /\(503\): This supernode is stopping; the purchase goes on/, 'what a waiting call was told');

  await world.comeBack();
  const packs = await world.until(Promise.all(buying.map(({ pack }) => pack)));
  await world.settle();
  for (const [i, { signing }] of buying.entries()) {
    const listed = await clientOf(world, signing).packs();
    assert.deepEqual(
      listed.map(({ registrationTxid }) => registrationTxid),
      [packs[i]!.registrationTxid],
      "the owner's list",
    );
  }
  assert.equal(new Set(packs.map(({ burnTxid }) => burnTxid)).size, purchases, 'each has burned once');
  await world.expectSound();
}

async function inNewWorld(engine: Engine, story: (world: World) => Promise<void>): Promise<void> {
  const world = await World.start(engine);
  try {
    await story(world);
  } finally {
    await world.close();
  }
}

/**
 * A process is asked to stop while it serves requests and while calls wait for the chain: what has begun is answered, what waits is told
 * that it goes on, and after the next start it does.
 */
export const drain: Category = {
  name: 'drain',
  seeds: 3,
  cases: ({ all }) => {
    const [requests, purchases] = all ? [100, 20] : [8, 2];
    return [
      {
        name: `SIGTERM with ${requests} requests and ${purchases} purchases in flight`,
        ...(!all && { engines: ['SQLite'] as const }),
        secondsMax: 600,
        run: (seed, engine) => inNewWorld(engine, (world) => drained(world, requests, purchases, seeded(seed))),
      },
    ];
  },
};
