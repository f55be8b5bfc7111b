import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { entities } from '../../../apps/supernode/src/supernode.js';
import { SupernodeClient, type UserSide } from '#client';
import { SystemClock } from '#config';
import { dataSourceOptions, Transactions } from '#database';
import type { DevnetSupernodeFacts } from '#devnet';
import { Reconciliation } from '#inference';
import { pooledChecking, type Signing } from '#protocol';
import { signingClosestTo } from '../../support/drawn-signing.js';
import { send, type Reply } from '../../support/http-app.js';
import { first, TestNetwork } from '../../support/network.js';
import { breath } from '../../support/turns.js';
import type { Engine } from '../contract.js';
import { MainProcess } from './main-process.js';

const machine = new SystemClock();
const TICK_MS = 20;
const LOOK_MS = 50;
const SWEEP_MS = 500;
const BLOCK_MS = 2_000;
/** For anything that is waited for. */
const SECONDS_MAX = 120;

const secondsSince = (beganMs: number): number => (performance.now() - beganMs) / 1000;

/**
 * A devnet in the time of this machine, with supernodes in this process; the first of all is the program that operators start, with its own
 * clock and schedules, on a database that outlives it. Blocks are mined by whoever tells the story.
 */
export class LiveNetwork {
  readonly url: string;
  private main: MainProcess | undefined;
  private readonly ticking: NodeJS.Timeout;

  private constructor(
    readonly network: TestNetwork,
    private readonly facts: DevnetSupernodeFacts,
    private readonly databaseUrl: string,
    private readonly folder: string,
  ) {
    this.url = `http://${facts.ip}:${facts.port}`;
    network.clock.advance(machine.now().getTime() - network.clock.now().getTime());
    this.ticking = setInterval(() => this.keepTime(), TICK_MS);
  }

  static async open(engine: Engine, supernodes: number): Promise<LiveNetwork> {
    const databaseUrl = await engine.newDatabase();
    const network = await TestNetwork.start({ supernodes });
    const first = network.supernodes[0]!;
    await network.stopSupernode(first);
    return new LiveNetwork(network, first, databaseUrl, await mkdtemp(join(tmpdir(), 'inference-layer-main-')));
  }

  /** Each block of a test moves the clock on, so that it may be a little ahead. */
  private keepTime(): void {
    const { clock } = this.network;
    clock.advance(Math.max(0, machine.now().getTime() - clock.now().getTime()));
  }

  // The program.

  begin(settings: Readonly<Record<string, string>> = {}): MainProcess {
    assert.ok(!this.main || this.main.isGone, 'the process before is gone');
    const environment = { ...this.network.environmentOfSupernode(this.facts), DATABASE_URL: this.databaseUrl, ...settings };
    return (this.main = new MainProcess(environment, this.folder));
  }
  async start(settings: Readonly<Record<string, string>> = {}): Promise<MainProcess> {
    const main = this.begin(settings);
    await this.see('a supernode that is ready', async () => {
      if (main.isGone) assert.fail(`The supernode ended: ${main.output}`);
      return (await this.readiness()) === 200;
    });
    return main;
  }
  /** Undefined where nobody answers. */
  async readiness(): Promise<number | undefined> {
    return this.get('/health/ready').then(
      ({ status }) => status,
      () => undefined,
    );
  }
  get(path: string): Promise<Reply> {
    return send('GET', `${this.url}${path}`);
  }
  /** Requests that are served at the moment, besides the one that asks. */
  async underway(): Promise<number> {
    const { text } = await this.get('/metrics');
    return Number(/^pastel_requests_underway (\d+)$/m.exec(text)?.[1]) - 1;
  }

  // Its books, read beside it.

  async rows<T>(table: string, ...columns: string[]): Promise<T[]> {
    return this.reading((source) =>
      source.query<T[]>(`SELECT ${columns.map((column) => `"${column}"`).join(', ')} FROM "${table}"`),
    );
  }
  async expectSound(): Promise<void> {
    const { differences } = await this.reading((source) => Reconciliation.over(new Transactions(source)).reconcile());
    assert.deepEqual(differences, [], 'the books');
  }
  private async reading<T>(look: (source: DataSource) => Promise<T>): Promise<T> {
    const source = await new DataSource(dataSourceOptions(this.databaseUrl, entities)).initialize();
    try {
      return await look(source);
    } finally {
      await source.destroy();
    }
  }

  // Time.

  /** Looks until it is so, while no block is mined. */
  async see(what: string, look: () => Promise<boolean>, secondsMax = SECONDS_MAX): Promise<void> {
    const began = performance.now();
    while (!(await look())) {
      if (secondsSince(began) > secondsMax) assert.fail(`Does not show within ${secondsMax} s: ${what}\n${this.main?.output}`);
      await breath(LOOK_MS);
    }
  }
  /** Blocks are mined and the other supernodes do their work until this is done. */
  async until<T>(what: string, work: Promise<T>): Promise<T> {
    let isDone = false;
    const settled = work.finally(() => (isDone = true));
    settled.catch(() => undefined);
    const began = performance.now();
    for (let turn = 1; !isDone; turn++) {
      if (secondsSince(began) > SECONDS_MAX) assert.fail(`Not done within ${SECONDS_MAX} s: ${what}\n${this.main?.output}`);
      await Promise.race([settled.catch(() => undefined), breath(SWEEP_MS)]);
      if (turn % (BLOCK_MS / SWEEP_MS) === 0) this.network.mine();
      await this.network.sweep();
    }
    return settled;
  }

  // The user.

  /** With a PastelID that the program is the closest supernode to. */
  side(chance: () => number): UserSide {
    const listed = this.network.devnet.supernodes.map(({ pastelId }) => pastelId);
    return this.network.side(signingClosestTo(this.facts.pastelId, listed, chance));
  }
  client(signing: Signing): SupernodeClient {
    return new SupernodeClient({ url: this.url, signing, checking: pooledChecking });
  }
  get tieBreak(): ReturnType<typeof first> {
    return first(this.facts.pastelId);
  }

  async close(): Promise<void> {
    clearInterval(this.ticking);
    this.network.devnet.faults.clear();
    await this.main?.kill();
    await this.network.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
