import type { Case, Category, Engine } from './contract.js';
import { Bourse } from './network/bourse.js';
import { equivocators } from './network/equivocators.js';
import { Desk, inferences } from './network/inferences.js';
import { lyingPeers } from './network/liars.js';
import { envelopes, Exchange, userMessages } from './network/messages.js';
import { partitions } from './network/partition.js';
import { copies, severalAtOnce, storageRetries } from './network/purchases.js';
import { everyTally, silentAndAgainst } from './network/quorum.js';
import { lyingSellers, silentPeers } from './network/sellers.js';
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

const onBourse = (name: string, run: (bourse: Bourse, seed: number) => Promise<void>): Case => ({
  name,
  run: (seed, engine) =>
    bourses.use(engine, async (bourse) => {
      await run(bourse, seed);
      await bourse.expectSound(seed % SOUNDINGS === 0);
    }),
});

const inTown = (name: string, run: (town: Town, seed: number) => Promise<void>): Case => ({
  name,
  run: (seed, engine) =>
    towns.use(engine, async (town) => {
      await run(town, seed);
      town.wire.clear();
    }),
});

const onExchange = (name: string, run: (exchange: Exchange, seed: number) => Promise<void>): Case => ({
  name,
  run: (seed, engine) => exchanges.use(engine, (exchange) => run(exchange, seed)),
});

const atDesk = (name: string, run: (desk: Desk, seed: number) => Promise<void>): Case => ({
  name,
  run: (seed, engine) => desks.use(engine, (desk) => run(desk, seed)),
});

/** Messages that are lost, late, twice or at the wrong place; peers that say nothing, or lie; a network in two halves. */
export const network: Category = {
  name: 'network',
  seeds: 100,
  cases: () => [
    onBourse('a purchase, each message in copies', copies),
    onBourse('three purchases at once, each message in copies', severalAtOnce),
    onBourse('a ticket stored by another than the seller, each message in copies', storageRetries),
    { name: 'every tally of votes of up to a hundred peers', engines: ['SQLite'], run: async () => everyTally() },
    onBourse('peers that are silent or against, in all numbers', silentAndAgainst),
    onBourse('a network in two halves, and one again', partitions),
    onBourse('a peer and a seller that tell everybody something else', equivocators),
    inTown('peers that lie about their votes', lyingPeers),
    inTown('sellers that lie about their offers', lyingSellers),
    inTown('peers that say nothing', silentPeers),
    atDesk('inferences, each message in copies', inferences),
    onExchange('envelopes of supernodes in copies', envelopes),
    onExchange('messages of users, brought and relayed in copies', userMessages),
  ],
  close: async () => {
    await bourses.close();
    await towns.close();
    await desks.close();
    await exchanges.close();
  },
};
