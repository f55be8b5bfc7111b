import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fundTrackingAddress, type InferenceState } from '#client';
import { Transactions } from '#database';
import { CallFailed, Child, Killed } from './child.js';
import { quotedAt, served, type Quoted } from './inferences.js';
import type { Kill } from './protocol.js';
import { bought, now, ticketsOf, type Bought } from './story.js';
import type { Command, UserOrder } from './user.js';
import type { World } from './world.js';

/** A command of the user's that is killed where it is told to, and given again until it succeeds. Where it first dies decides what the next one finds. */
export type CommandStory = (world: World, chance: () => number, kills: readonly Kill[]) => Promise<number>;

const TRIES_MAX = 12;

/** The user knows that it is done, and does not give the command again: that would be another one. */
const isDone = ({ point, when }: Kill): boolean => point.endsWith(': finished') && when === 'after';

/**
 * Gives the command until it succeeds, and says how often it was killed.
 * @param between what happens after the first death, before the command is given again
 */
async function given(
  world: World,
  pastelId: string,
  command: Command,
  kills: readonly Kill[],
  between: (directory: string) => Promise<void>,
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'inference-layer-user-'));
  try {
    let killed = 0;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const child = new Child<UserOrder>('./user.js', () => undefined);
      const environment = { ...world.userEnvironment, LOCAL_PASTEL_ID: pastelId };
      const kill = kills[killed];
      try {
        await child.begin({ environment, directory, now: world.clock.now().getTime(), command, ...(kill && { kill }) });
        await world.beside(child, () => world.until(child.call('run')));
        return killed;
      } catch (error) {
        if (error instanceof Killed) {
          if (++killed === 1) await between(directory);
          if (kill && isDone(kill)) return killed;
        } else if (error instanceof CallFailed) {
          // An offer that was not paid keeps its address until its window is over; a burn that is not there is given up before.
          await world.mine(25);
          await world.advance(30_000);
          await world.sweep();
        } else throw error;
      } finally {
        await child.stop();
      }
    }
    throw new assert.AssertionError({ message: 'The command does not succeed' });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** @param isStale the confirmation that was written down has grown old before it is sent */
const buys =
  (isStale: boolean, isRefusedOnce: boolean): CommandStory =>
  async (world, chance, kills) => {
    const { pastelId } = await world.network.newSigning();
    const { address: trackingAddress } = await fundTrackingAddress(world.network.user, 20);
    const before = await now(world);
    if (isRefusedOnce) refuseOnce(world, 'sendtoaddress');
    const credits = 10 + Math.floor(chance() * 100);
    const killed = await given(world, pastelId, { name: 'buy', credits, trackingAddress }, kills, async () => {
      if (isStale) await world.advance(20 * 60_000);
      await world.mine(2);
    });
    await world.settle();
    const burns = await world.burnsSince(before.height);
    assert.equal(burns.length, 1, 'burned once');
    const tickets = ticketsOf(world).filter((txid) => !before.tickets.includes(txid));
    assert.equal(tickets.length, 1, 'one ticket');
    const packs = await world.rows<{ registrationTxid: string; purchaseBurnTxid: string; state: string }>(
      'credit_pack',
      'registrationTxid',
      'purchaseBurnTxid',
      'state',
    );
    const pack = packs.find(({ registrationTxid }) => registrationTxid === tickets[0]);
    assert.deepEqual([pack?.purchaseBurnTxid, pack?.state], [burns[0], 'standing'], 'a pack for the burn');
    return killed;
  };

/** The owner of a pack whose keys are in the wallet of the command line. */
const owners = new WeakMap<World, Promise<Bought>>();
function ownerIn(world: World): Promise<Bought> {
  const known =
    owners.get(world) ??
    world.network.newSigning().then((signing) => bought(world, signing, 20_000, world.network.supernodes[0]!.pastelId));
  owners.set(world, known);
  return known;
}

const PARAMETERS = { number_of_tokens_to_generate: 200 };
/** What another request of the same owner, at the same cost, does. What comes back is done after the first death, and gives a burn. */
type Rival = (world: World, owner: Bought) => Promise<(directory: string) => Promise<string>>;
/** At the same supernode: elsewhere the burn may be claimed once more (decision 4). */
const paysItsOwn: Rival = async (world, owner) => async (directory) => {
  const { supernodePastelId } = await unfinishedIn(directory);
  return (await served(world, owner, PARAMETERS, supernodePastelId)).burnTxid;
};
/** It was quoted before, wherever the command may turn to: a burn that is older than a quote does not pay for it. */
const takesTheBurn: Rival = async (world, owner) => {
  const quotes = new Map<string, Quoted>();
  for (const place of [world.patient, ...world.network.supernodes])
    quotes.set(place.pastelId, await quotedAt(world, place, owner, JSON.stringify(PARAMETERS)));
  return async (directory) => {
    const { supernodePastelId, burnTxid } = await unfinishedIn(directory);
    assert.ok(burnTxid !== undefined, 'the burn is written down');
    assert.equal(await quotes.get(supernodePastelId)!.confirm(burnTxid), 'good');
    return burnTxid;
  };
};
async function unfinishedIn(directory: string): Promise<InferenceState> {
  const files = await readdir(directory, { recursive: true });
  const [file] = files.filter((name) => basename(name).startsWith('unfinished-') && name.endsWith('.json'));
  return JSON.parse(await readFile(join(directory, file!), 'utf8')) as InferenceState;
}

const infers =
  (rival: Rival | undefined, isRefusedOnce = false): CommandStory =>
  async (world, chance, kills) => {
    const owner = await ownerIn(world);
    const before = await now(world);
    if (isRefusedOnce) refuseOnce(world, 'sendmany');
    const parameters = Object.entries(PARAMETERS).map(([name, value]) => `${name}=${value}`);
    // As long as the input of any rival, so that it costs the same.
    const command = { name: 'infer', pack: owner.pack.registrationTxid, prompt: 'Hello again', parameters } as const;
    const rivals: string[] = [];
    const rivalry = await rival?.(world, owner);
    const killed = await given(world, owner.side.signing.pastelId, command, kills, async (directory) => {
      await world.mine();
      if (rivalry) rivals.push(await rivalry(directory));
    });
    await world.settle();
    const burns = await world.burnsSince(before.height);
    for (const txid of rivals) assert.ok(burns.includes(txid));
    assert.equal(burns.length, rivals.length + 1, 'each burned once');
    assert.equal((await resultsOf(world, burns)).length, burns.length, 'each burn has brought a result');
    return killed;
  };
/** The burns of these that paid for a request that was completed, at any supernode. */
async function resultsOf(world: World, burns: readonly string[]): Promise<string[]> {
  const here = await Promise.all(
    world.network.supernodes.map(({ app }) =>
      app.get(Transactions).read((manager) => manager.find<{ state: string; burn_txid: string | null }>('InferenceJob')),
    ),
  );
  const there = await world.rows<{ state: string; burn_txid: string | null }>('inference_requests', 'state', 'burn_txid');
  const all = [...here.flat(), ...there].filter(({ state }) => state === 'COMPLETED');
  return all.flatMap(({ burn_txid }) => (burn_txid !== null && burns.includes(burn_txid) ? [burn_txid] : []));
}

/** The wallet says once that it has too little. */
function refuseOnce(world: World, call: string): void {
  world.network.devnet.faults.failNext(call, 1, { kind: 'error', code: -6, message: 'Insufficient funds' }, 'devnet');
}

export const commands: Readonly<Record<string, CommandStory>> = {
  buy: buys(false, false),
  buyLate: buys(true, false),
  buyRefusedOnce: buys(false, true),
  infer: infers(undefined),
  inferRefusedOnce: infers(undefined, true),
  inferBesideAnother: infers(paysItsOwn),
  inferAfterAnother: infers(takesTheBurn),
};
