import assert from 'node:assert/strict';
import type { UserSide } from '#client';
import type { DevnetSupernodeFacts } from '#devnet';
import type { Books } from '#inference';
import { networks, type Signing } from '#protocol';
import { marked } from '../../support/canary.js';
import { signingClosestTo } from '../../support/drawn-signing.js';
import { ManualClock } from '../../support/manual-clock.js';
import { TestNetwork } from '../../support/network.js';
import { breath, turnUntil } from '../../support/turns.js';
import type { Engine } from '../contract.js';
import { Child, Killed } from './child.js';
import type { Kill, SupernodeOrder } from './protocol.js';
import type { UserOrder } from './user.js';

const { burnAddress } = networks.devnet;
const TICK_MS = 1_000;
const TICKS_PER_BLOCK = 5;
const TICKS_MAX = 3_000;
/** As long as any pause before another attempt, so that a few rounds see the end of everything. */
const ROUND_MS = 61_000;
const ROUNDS_MAX = 40;

/**
 * A devnet with four supernodes in this process and one, the patient, in a process of its own. Whenever the patient is killed it is
 * started again on the same database, and the clock stands still until it is there.
 */
export class World {
  readonly clock: ManualClock;
  readonly burnAddress = burnAddress;
  /** How often the patient stored each step since the story began. */
  readonly stored = new Map<string, number>();
  kills = 0;
  private child!: Child<SupernodeOrder>;
  private spare: Child<SupernodeOrder> | undefined;
  private companion: Child<UserOrder> | undefined;
  private coming: Promise<void> | undefined;
  private trouble: unknown;
  private isClosed = false;
  private armed: Kill | undefined;
  private next: Kill[] = [];
  private stopped: Child<SupernodeOrder> | undefined;
  private extra: Record<string, string> = {};

  private constructor(
    readonly network: TestNetwork,
    readonly patient: DevnetSupernodeFacts & { readonly url: string },
    private readonly databaseUrl: string,
    private readonly engine: Engine,
  ) {
    this.clock = network.clock;
  }

  static async start(engine: Engine): Promise<World> {
    const databaseUrl = await engine.newDatabase();
    const network = await TestNetwork.start();
    const first = network.supernodes[0]!;
    await network.stopSupernode(first);
    const world = new World(network, first, databaseUrl, engine);
    await world.startPatient();
    return world;
  }

  // The patient.

  /** The process dies at the first of these when it comes there, then, started again, at the next; at none where absent. */
  async arm(...kills: readonly Kill[]): Promise<void> {
    await this.up();
    [this.armed, ...this.next] = kills;
    await this.child.call('arm', this.armed);
  }
  /** A stop as an operator stops it, and a new start, with other settings; what it is armed with stays. */
  async restart(extra: Record<string, string> = {}): Promise<void> {
    await this.up();
    this.extra = extra;
    const old = this.child;
    await old.call('close').catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    if (this.child === old) {
      this.stopped = old;
      await old.stop();
    }
    await this.up();
  }
  /** The same on new books, until it is started again without them. */
  async restartOnNewBooks(): Promise<void> {
    return this.restart({ DATABASE_URL: await this.engine.newDatabase() });
  }
  async up(): Promise<void> {
    while (this.coming) await this.coming;
    if (this.trouble !== undefined) throw this.trouble instanceof Error ? this.trouble : new Error('The patient is gone');
  }

  private async startPatient(kill?: Kill): Promise<void> {
    const child = this.spare ?? this.newChild();
    this.spare = undefined;
    this.child = child;
    const { ip: host, port, user } = this.patient;
    assert.ok(user);
    const environment = {
      ...this.network.environmentOfSupernode(this.patient),
      DATABASE_URL: this.databaseUrl,
      EXECUTION_SECONDS_MAX: '100',
      ...this.extra,
    };
    const order = { environment, host, port, now: this.clock.now().getTime(), ...(kill && { kill }) };
    void child.gone.then((how) => this.isGone(child, how));
    // The next one loads while this one works: loading is what takes the time.
    if (await child.begin(order)) this.spare ??= this.newChild();
  }
  private newChild(): Child<SupernodeOrder> {
    return new Child<SupernodeOrder>('./supernode.js', (name) => this.stored.set(name, (this.stored.get(name) ?? 0) + 1));
  }
  private isGone(child: Child<SupernodeOrder>, how: 'killed' | 'ended'): void {
    if (this.isClosed || child !== this.child) return;
    if (how === 'ended') {
      this.trouble = new Error('The patient ended by itself');
      return;
    }
    if (child !== this.stopped) {
      this.kills++;
      this.armed = this.next.shift();
    }
    const start = this.startPatient(this.armed).catch((error: unknown) => (this.trouble = error));
    const coming: Promise<void> = start.then(() => {
      if (this.coming === coming) this.coming = undefined;
    });
    this.coming = coming;
  }

  // Time.

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.toldTime();
  }
  async mine(blocks = 1): Promise<void> {
    this.network.mine(blocks);
    await this.toldTime();
  }
  /** Everything that the schedules would do, on all nodes; `often` leaves out what they do every few minutes. */
  async sweep(often = true): Promise<void> {
    await Promise.all([this.network.sweep(), this.told('sweep', { to: this.clock.now().getTime(), often })]);
  }
  /** The same with some seconds between, so that one thing can lead to another. */
  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) {
      await this.advance(6_000);
      await this.sweep();
    }
  }
  /** The patient alone. */
  async sweepPatient(): Promise<void> {
    await this.told('sweep', { to: this.clock.now().getTime(), often: true });
  }
  private async toldTime(): Promise<void> {
    const to = this.clock.now().getTime();
    await this.companion?.call('time', to).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    await this.told('time', to);
  }
  /** A call that a kill may cut short: whoever starts the patient again tells it the time. */
  private async told(name: string, argument: unknown): Promise<void> {
    await this.up();
    try {
      await this.child.call(name, argument);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      await this.up();
    }
  }

  /** While the work is done, a process of the user's has the same time. */
  async beside<T>(child: Child<UserOrder>, work: () => Promise<T>): Promise<T> {
    this.companion = child;
    try {
      return await work();
    } finally {
      this.companion = undefined;
    }
  }

  /** Moves clock, blocks and sweeps until the work is done; stands still while the patient is started again. */
  until<T>(work: Promise<T>): Promise<T> {
    return turnUntil(work, {
      turnsMax: TICKS_MAX,
      look: async () => {
        await breath();
        await this.up();
      },
      turn: async (tick) => {
        if (tick % TICKS_PER_BLOCK === 0) {
          await this.mine();
          await this.sweep();
        }
        await this.advance(TICK_MS);
      },
    });
  }

  // What the patient has on its books.

  async rows<T>(table: string, ...columns: string[]): Promise<T[]> {
    await this.up();
    return this.child.call('rows', { table, columns });
  }
  async books(): Promise<Books> {
    await this.up();
    return this.child.call('books');
  }

  /** Time passes until the patient has nothing more to do by itself. */
  async settle(): Promise<void> {
    let open: string[] = [];
    for (let round = 0; round < ROUNDS_MAX; round++) {
      await this.mine();
      await this.sweep();
      await breath();
      open = await this.unfinished();
      if (open.length === 0) return;
      await this.advance(ROUND_MS);
    }
    throw new assert.AssertionError({ message: `Still unfinished: ${open.join('; ')}` });
  }
  private async unfinished(): Promise<string[]> {
    const purchases = await this.rows<{ state: string }>('credit_pack_purchase', 'state');
    const requests = await this.rows<{ state: string; named_txid: string | null }>('inference_requests', 'state', 'named_txid');
    const owed = await this.rows<{ done: number | boolean }>('inference_announcements_owed', 'done');
    // A process that has just begun may have to wait until it does the scheduled work.
    const scans = await this.rows<{ scan: string; height: number | string }>('credit_pack_scan', 'scan', 'height');
    const read = Math.max(0, ...scans.flatMap(({ scan, height }) => (scan === 'tickets' ? Number(height) : [])));
    const counts: [string, number][] = [
      ['blocks that are not read', Math.max(0, this.height - read)],
      ['purchases', purchases.filter(({ state }) => ['claimed', 'burn-confirmed', 'registering'].includes(state)).length],
      ['requests', requests.filter(({ state }) => ['QUOTED', 'CONFIRMED', 'EXECUTING'].includes(state)).length],
      ['announcements of purchases', (await this.rows('credit_pack_outbox', 'id')).length],
      ['announcements of requests', owed.filter(({ done }) => !done).length],
      [
        'storage retries',
        (await this.rows<{ answer: unknown }>('credit_pack_storage_retry', 'answer')).filter(({ answer }) => answer === null)
          .length,
      ],
      ['messages for handlers', (await this.rows('message_dispatches', 'pasteld_message_hash')).length],
      ['relays', (await this.rows('user_message_relays', 'key')).length],
    ];
    return counts.flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
  }

  /** What must be true after any story: the books of every node agree with themselves, and each result is there once. */
  async expectSound(): Promise<void> {
    await this.network.expectSound();
    assert.deepEqual((await this.books()).differences, [], 'the books of the patient');
    const requests = await this.rows<{ inference_request_id: string; state: string; burn_txid: string | null }>(
      'inference_requests',
      'inference_request_id',
      'state',
      'burn_txid',
    );
    const paid = requests.flatMap(({ burn_txid }) => burn_txid ?? []);
    assert.equal(new Set(paid).size, paid.length, 'a burn paid for two requests');
  }

  // The user.

  /** With a PastelID that the patient is the closest supernode to, or the one that is told. */
  signing(chance: () => number, closest = this.patient.pastelId): Signing {
    const listed = this.network.devnet.supernodes.map(({ pastelId }) => pastelId);
    return signingClosestTo(closest, listed, chance);
  }
  side(signing: Signing): UserSide {
    return this.network.side(signing);
  }
  /** For the command line. The passphrase is that of {@link TestNetwork.newSigning}. */
  get userEnvironment(): Record<string, string> {
    return { ...this.network.environmentOf('devnet'), LOCAL_PASTEL_ID_PASSPHRASE: marked('user passphrase') };
  }
  get height(): number {
    return this.network.height;
  }
  /** Every burn on the chain since then, by txid. */
  async burnsSince(height: number): Promise<string[]> {
    await this.mine();
    return [...(await this.network.user.chain.transactionIdsOf(burnAddress, height, this.height))].sort();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all([this.child.stop(), this.spare?.stop()]);
    await this.network.close();
  }
}
