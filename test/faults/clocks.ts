import assert from 'node:assert/strict';
import { fundTrackingAddress, packsOf, purchaseCreditPack, runInference, type UserSide } from '#client';
import { Clock, networks } from '#protocol';
import { countCalls, type CountedCalls } from './market/counted-calls.js';
import { Market } from './market/market.js';
import { pick, seeded, type Category, type Engine } from './contract.js';
import { Shared } from './shared.js';

const CREDITS = 50;
const MINUTE_MS = 60_000;
const STEPS_MS = [-60, -10, 10, 60].map((minutes) => minutes * MINUTE_MS);
/** Calls to supernodes that a purchase or an inference makes, about. */
const CALLS = 10;

/** One that goes as fast as another, and shows another time. */
class WrongClock extends Clock {
  constructor(
    private readonly right: Clock,
    private readonly apartMs: number,
  ) {
    super();
  }
  now(): Date {
    return new Date(this.right.now().getTime() + this.apartMs);
  }
  override monotonicMs(): number {
    return this.right.monotonicMs();
  }
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return this.right.wait(ms, signal);
  }
}

let counted: CountedCalls | undefined;
const markets = new Shared(
  async (engine) => {
    const market = await Market.open(engine);
    counted = countCalls();
    return market;
  },
  async (market) => {
    counted?.stop();
    await market.close();
  },
);

const burnsOf = async ({ network }: Market): Promise<number> =>
  (await network.user.chain.transactionIdsOf(networks.devnet.burnAddress, 0, network.height)).length;

async function purchase(at: Market, side: UserSide): Promise<{ registrationTxid: string }> {
  const { address } = await fundTrackingAddress(at.side, CREDITS);
  at.network.mine();
  return at.network.until(purchaseCreditPack(side, { credits: CREDITS, trackingAddress: address, tieBreak: at.first }));
}
const inference = (at: Market, side: UserSide, packTxid: string) =>
  at.network.until(
    runInference(side, { packTxid, model: 'sandbox-echo', input: 'Hello there', supernodesMax: 1, tieBreak: at.first }),
  );

/** Says which field, or challenge, what it says, and what the clock there says. */
const NAMES_BOTH_TIMES =
  /Timestamp in field \w+_timestamp_utc_iso_string is too far from the current time.*\(local: 20[^,]+, remote: 20[^)]+\)|challenge expired at 20\S+; the clock here says 20\S+/;

/** Done, with one more burn than before; or refused, with both times named and nothing burned. */
async function onceOrNothing<T>(at: Market, work: () => Promise<T>): Promise<T | undefined> {
  const before = await burnsOf(at);
  const done = await work().catch((error: unknown) => error as Error);
  at.network.mine();
  const burned = (await burnsOf(at)) - before;
  if (!(done instanceof Error)) {
    assert.equal(burned, 1, 'Not burned once');
    return done;
  }
  assert.equal(burned, 0, `Burned, and then: ${done.message}`);
  assert.match(done.message, NAMES_BOTH_TIMES);
  return undefined;
}

async function expectSound(at: Market): Promise<void> {
  await at.network.sweep();
  await at.network.expectSound();
}

async function wrongUser(engine: Engine, apartMs: number): Promise<void> {
  const at = await markets.on(engine);
  const side = { ...at.side, clock: new WrongClock(at.network.clock, apartMs) };
  assert.equal(await onceOrNothing(at, () => purchase(at, side)), undefined);
  // With the clock set right nothing is in the way.
  const pack = await onceOrNothing(at, () => purchase(at, at.side));
  assert.ok(pack);
  // Requests are held to their height alone.
  const calls = counted!.count();
  assert.ok(await onceOrNothing(at, () => inference(at, side, pack.registrationTxid)));
  assert.equal(counted!.count() - calls, 1);
  await expectSound(at);
}

async function wrongSeller(engine: Engine, apartMs: number): Promise<void> {
  const at = await markets.on(engine);
  const pack = (await onceOrNothing(at, () => purchase(at, at.side)))!;
  await at.restart({}, new WrongClock(at.network.clock, apartMs));
  try {
    await onceOrNothing(at, () => purchase(at, at.side));
    const calls = counted!.count();
    assert.ok(await onceOrNothing(at, () => inference(at, at.side, pack.registrationTxid)));
    assert.equal(counted!.count() - calls, 1);
    await expectSound(at);
  } finally {
    await at.restart();
  }
  await expectSound(at);
}

/** While it answers the n-th call somebody sets the clock of everybody. */
async function setAtCall<T>(at: Market, call: number, stepMs: number, work: () => Promise<T>): Promise<T> {
  let calls = 0;
  const servers = at.network.supernodes.map(({ app }) => app.getHttpServer());
  const onRequest = (): void => {
    if (++calls === call) at.network.clock.set(stepMs);
  };
  for (const server of servers) server.on('request', onRequest);
  return work().finally(() => servers.forEach((server) => server.off('request', onRequest)));
}

async function setMeanwhile(engine: Engine, stepMs: number, call: number): Promise<void> {
  const at = await markets.on(engine);
  const packs = (await packsOf(at.side)).length;
  const first = await onceOrNothing(at, () => setAtCall(at, call, stepMs, () => purchase(at, at.side)));
  const pack = first ?? (await onceOrNothing(at, () => purchase(at, at.side)));
  assert.ok(pack, 'Refused again, with the clocks alike');
  assert.equal((await packsOf(at.side)).length, packs + 1);
  const calls = counted!.count();
  const infer = () => inference(at, at.side, pack.registrationTxid);
  const served = await onceOrNothing(at, () => setAtCall(at, call, -stepMs, infer));
  assert.ok(served ?? (await onceOrNothing(at, infer)), 'Refused again, with the clocks alike');
  assert.equal(counted!.count() - calls, 1, 'Not served once');
  await expectSound(at);
}

export const clocks: Category = {
  name: 'clocks',
  seeds: 10,
  cases: ({ all, seed }) => {
    const chance = seeded(seed);
    const some = all ? STEPS_MS : [pick(chance, STEPS_MS)];
    const apart = (ms: number): string => `${Math.abs(ms) / MINUTE_MS} minutes ${ms > 0 ? 'ahead' : 'behind'}`;
    return [
      ...some.map((ms) => ({ name: `a user ${apart(ms)}`, run: (_: number, engine: Engine) => wrongUser(engine, ms) })),
      ...some.map((ms) => ({ name: `a seller ${apart(ms)}`, run: (_: number, engine: Engine) => wrongSeller(engine, ms) })),
      ...some.map((ms) => ({
        name: `set ${apart(ms)} meanwhile`,
        run: (of: number, engine: Engine) => setMeanwhile(engine, ms, 1 + Math.floor(seeded(of)() * CALLS)),
      })),
    ];
  },
  close: markets.leave,
};
