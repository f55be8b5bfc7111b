import assert from 'node:assert/strict';
import {
  ClientError,
  fundTrackingAddress,
  isSupernodeTrouble,
  memoryJournal,
  purchaseCreditPack,
  runInference,
  type InferenceOutcome,
  type InferenceState,
  type PurchasedPack,
  type PurchaseState,
  type UserSide,
} from '#client';
import type { Supernode } from '#chain';
import { CREDIT_PACK_TICKET_SUBTYPE, type Signing } from '#protocol';
import type { World } from './world.js';

/** Something that somebody does with the patient's help, from beginning to end whatever happens on the way; checks what came of it. */
export type Story = (world: World, chance: () => number) => Promise<void>;

const TRIES_MAX = 8;
const first =
  (pastelId: string) =>
  (a: Supernode, b: Supernode): number =>
    Number(b.pastelId === pastelId) - Number(a.pastelId === pastelId);

/** As a user who runs the same command again until it succeeds. */
async function again<T>(world: World, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await world.until(attempt());
    } catch (error) {
      const isPassing = isSupernodeTrouble(error) || (error instanceof ClientError && PASSING.includes(error.code));
      if (!isPassing || tries === TRIES_MAX) throw error;
      if (error instanceof ClientError && error.code === 'burn-uncertain') await world.mine(25);
      await world.advance(30_000);
      await world.sweep();
    }
  }
}
const PASSING = ['no-supernode', 'not-sold', 'not-run', 'not-completed', 'burn-uncertain', 'timeout'];

export interface Bought {
  readonly side: UserSide;
  readonly pack: PurchasedPack;
}
export async function bought(world: World, signing: Signing, credits: number, seller: string): Promise<Bought> {
  const side = world.side(signing);
  const { address } = await fundTrackingAddress(side, credits);
  await world.mine();
  const journal = memoryJournal<PurchaseState>();
  const pack = await again(world, () =>
    purchaseCreditPack(side, { credits, trackingAddress: address, journal, tieBreak: first(seller) }),
  );
  return { side, pack };
}
const ticketsOf = (world: World): string[] =>
  world.network.devnet.state.tickets
    .contracts()
    .filter(({ record }) => record.subType === CREDIT_PACK_TICKET_SUBTYPE)
    .map(({ txid }) => txid);

/** One pack, one ticket, one burn; all nodes know it. */
async function expectBought(world: World, before: Before, { pack }: Bought): Promise<void> {
  await world.settle();
  assert.deepEqual(await world.burnsSince(before.height), [pack.burnTxid], 'burned once');
  assert.deepEqual(
    ticketsOf(world).filter((txid) => !before.tickets.includes(txid)),
    [pack.registrationTxid],
    'one ticket',
  );
  const known = await world.rows<{ registrationTxid: string; state: string }>('credit_pack', 'registrationTxid', 'state');
  assert.equal(known.find(({ registrationTxid }) => registrationTxid === pack.registrationTxid)?.state, 'standing');
}
interface Before {
  readonly height: number;
  readonly tickets: readonly string[];
}
async function now(world: World): Promise<Before> {
  await world.mine();
  return { height: world.height + 1, tickets: ticketsOf(world) };
}

const purchase: Story = async (world, chance) => {
  const before = await now(world);
  const credits = 10 + Math.floor(chance() * 500);
  await expectBought(world, before, await bought(world, world.signing(chance), credits, world.patient.pastelId));
};

/** The patient is one of those that are asked for their vote and are told what comes of it. */
const purchaseElsewhere: Story = async (world, chance) => {
  const before = await now(world);
  const seller = world.network.supernodes[Math.floor(chance() * world.network.supernodes.length)]!;
  await expectBought(world, before, await bought(world, world.signing(chance, seller.pastelId), 20, seller.pastelId));
};

/** A pack of the world that stories spend from. */
const packs = new WeakMap<World, Promise<Bought>>();
export const spending = (world: World, chance: () => number): Promise<Bought> => {
  const known = packs.get(world) ?? bought(world, world.signing(chance), 50_000, world.network.supernodes[0]!.pastelId);
  packs.set(world, known);
  return known;
};

async function served(world: World, { side, pack }: Bought, parameters: object): Promise<InferenceOutcome> {
  const journal = memoryJournal<InferenceState>();
  return again(world, () =>
    runInference(side, {
      packTxid: pack.registrationTxid,
      model: 'sandbox-echo',
      input: 'Hello there',
      parameters: parameters as Record<string, unknown>,
      supernodesMax: 1,
      tieBreak: first(world.patient.pastelId),
      journal,
    }),
  );
}
const infer =
  (parametersFor: (chance: () => number) => object, isServed: boolean): Story =>
  async (world, chance) => {
    const spender = await spending(world, chance);
    const before = await now(world);
    const outcome = await served(world, spender, parametersFor(chance));
    await world.settle();
    assert.deepEqual(await world.burnsSince(before.height), [outcome.burnTxid], 'burned once');
    assert.equal(outcome.unserved === undefined, isServed);
    await expectEnding(world, outcome, isServed ? 'COMPLETED' : 'FAILED');
  };

/** The request is final, with one result, and a note where it was not served. */
async function expectEnding(world: World, { request, burnTxid, costTenths }: InferenceOutcome, state: string): Promise<void> {
  const { inference_request_id: id } = request;
  const jobs = await world.rows<{ inference_request_id: string; state: string; burn_txid: string; cost_tenths: number }>(
    'inference_requests', 'inference_request_id', 'state', 'burn_txid', 'cost_tenths',
  ); // prettier-ignore
  const [job, ...more] = jobs.filter(({ inference_request_id }) => inference_request_id === id);
  assert.deepEqual([job?.state, job?.burn_txid, Number(job?.cost_tenths), more.length], [state, burnTxid, costTenths, 0]);
}

export const stories: Readonly<Record<string, Story>> = {
  purchase,
  purchaseElsewhere,
  infer: infer((chance) => ({ number_of_tokens_to_generate: 100 + Math.floor(chance() * 900) }), true),
  inferAgain: infer(() => ({ sandbox_failure: 'unavailable_once' }), true),
  inferInVain: infer((chance) => ({ sandbox_failure: chance() < 0.5 ? 'refused' : 'malformed' }), false),
};
