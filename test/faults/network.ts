import type { Case, Category, Engine } from './contract.js';
import { Bourse } from './network/bourse.js';
import { equivocators } from './network/equivocators.js';
import { Desk, inferences } from './network/inferences.js';
import { lyingPeers, PEERS_LIES } from './network/liars.js';
import { envelopes, Exchange, userMessages } from './network/messages.js';
import { partitions } from './network/partition.js';
import { copies, severalAtOnce, storageRetries } from './network/purchases.js';
import { everyTally, silentAndAgainst } from './network/quorum.js';
import { lyingSellers, SELLERS_LIES, silentPeers } from './network/sellers.js';
import { Town } from './network/town.js';

/** A new one after so many schedules: books that grow make everything slower. */
const SCHEDULES_MAX = 50;
/** So many schedules lie between two looks at the whole chain. */
const SOUNDINGS = 10;

interface Place {
  close(): Promise<void>;
}
/** Where schedules run, one after another. Another place is not open at the same time: each holds five nodes or so. */
let current:
  { readonly kind: unknown; readonly engine: Engine; readonly place: Promise<Place>; left: number; isBusy: boolean } | undefined;

async function leave(): Promise<void> {
  const place = await current?.place.catch(() => undefined);
  current = undefined;
  await place?.close();
}
/** A place is shared until a schedule fails in it or does not come to its end, or the books have grown. */
const shared =
  <T extends Place>(open: (engine: Engine) => Promise<T>) =>
  async (engine: Engine, work: (place: T) => Promise<void>): Promise<void> => {
    if (current?.kind !== open || current.engine !== engine || current.left <= 0 || current.isBusy) {
      await leave();
      current = { kind: open, engine, place: open(engine), left: SCHEDULES_MAX, isBusy: false };
    }
    const here = current;
    here.left--;
    here.isBusy = true;
    try {
      await work((await here.place) as T);
    } catch (error) {
      if (current === here) await leave().catch(() => undefined);
      throw error;
    } finally {
      here.isBusy = false;
    }
  };

const bourses = shared((engine) => Bourse.open(engine));
const exchanges = shared((engine) => Exchange.open(engine));
const desks = shared((engine) => Desk.open(engine));
const towns = shared((engine) => Town.open(engine));

type Run<T> = (place: T, seed: number) => Promise<void>;
/** @param seeds with `--all` */
const caseAt =
  <T extends Place>(use: (engine: Engine, work: (place: T) => Promise<void>) => Promise<void>) =>
  (name: string, seeds: number, run: Run<T>): Case => ({
    name,
    seeds,
    run: (seed, engine) => use(engine, (place) => run(place, seed)),
  });

const onBourse = (name: string, seeds: number, run: Run<Bourse>): Case =>
  caseAt(bourses)(name, seeds, async (bourse, seed) => {
    await run(bourse, seed);
    await bourse.expectSound(seed % SOUNDINGS === 0);
  });
const inTown = (name: string, seeds: number, run: Run<Town>): Case =>
  caseAt(towns)(name, seeds, async (town, seed) => {
    await run(town, seed);
    town.wire.clear();
  });
const onExchange = caseAt(exchanges);
const atDesk = caseAt(desks);

/** A second or two each. */
const slice = (): Case[] => [
  onBourse('a purchase, each message in copies', 300, copies),
  onBourse('a ticket stored by another than the seller, each message in copies', 150, storageRetries),
  { name: 'every tally of votes of up to a hundred peers', engines: ['SQLite'], seeds: 1, run: async () => everyTally() },
  onBourse('a network in two halves, and one again', 30, partitions),
  onExchange('envelopes of supernodes in copies', 200, envelopes),
];
/** With places that take seconds to open, or more of the same. */
const more = (): Case[] => [
  onExchange('messages of users, brought and relayed in copies', 200, userMessages),
  onBourse('three purchases at once, each message in copies', 100, severalAtOnce),
  onBourse('peers that are silent or against, in all numbers', 45, silentAndAgainst),
  onBourse('a peer and a seller that tell everybody something else', 30, equivocators),
  inTown('peers that lie about their votes', 2 * PEERS_LIES, lyingPeers),
  inTown('sellers that lie about their offers', SELLERS_LIES, lyingSellers),
  inTown('peers that say nothing', 30, silentPeers),
  atDesk('inferences, each message in copies', 60, inferences),
];

/** Messages that are lost, late, twice or at the wrong place; peers that say nothing, or lie; a network in two halves. */
export const network: Category = {
  name: 'network',
  seeds: 100,
  cases: ({ all }) => (all ? [...slice(), ...more()] : slice().map((one): Case => ({ ...one, engines: ['SQLite'] }))),
  close: leave,
};
