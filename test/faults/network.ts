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
interface Opened<T> {
  readonly engine: Engine;
  readonly place: Promise<T>;
  left: number;
}

/** A place that schedules share, until one fails or the books have grown. */
class Shared<T extends { close(): Promise<void> }> {
  private opened: Opened<T> | undefined;
  constructor(private readonly open: (engine: Engine) => Promise<T>) {}

  async use(engine: Engine, work: (place: T) => Promise<void>): Promise<void> {
    if (this.opened?.engine !== engine || this.opened.left <= 0) {
      await this.close();
      this.opened = { engine, place: this.open(engine), left: SCHEDULES_MAX };
    }
    this.opened.left--;
    try {
      await work(await this.opened.place);
    } catch (error) {
      await this.close().catch(() => undefined);
      throw error;
    }
  }
  async close(): Promise<void> {
    const place = await this.opened?.place.catch(() => undefined);
    this.opened = undefined;
    await place?.close();
  }
}

const bourses = new Shared((engine) => Bourse.open(engine));
const exchanges = new Shared((engine) => Exchange.open(engine));
const desks = new Shared((engine) => Desk.open(engine));
const towns = new Shared((engine) => Town.open(engine));

type Run<T> = (place: T, seed: number) => Promise<void>;
/** @param seeds with `--all` */
const caseAt =
  <T extends { close(): Promise<void> }>(shared: Shared<T>) =>
  (name: string, seeds: number, run: Run<T>): Case => ({
    name,
    seeds,
    run: (seed, engine) => shared.use(engine, (place) => run(place, seed)),
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
  close: async () => {
    for (const shared of [bourses, towns, desks, exchanges]) await shared.close();
  },
};
