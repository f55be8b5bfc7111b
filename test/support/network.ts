import { randomInt } from 'node:crypto';
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createSupernode } from '../../apps/supernode/src/supernode.js';
import { Environment, readSettings, RpcSettings, SystemEntropy, type Settings } from '#config';
import type { Supernode } from '#chain';
import type { UserSide } from '#client';
import { CreditPackSweeps } from '#credit-pack';
import { Devnet, type DevnetSupernodeFacts } from '#devnet';
import { InferenceSweeps, providers, Reconciliation } from '#inference';
import type { WinstonLogger } from '#logs';
import { InboxService } from '#messaging';
import { Clock, networks, pooledChecking, type Signing } from '#protocol';
import { MeasuredPeerHealth } from '#reputation';
import { JsonRpcChain, JsonRpcClient, JsonRpcIdentity, JsonRpcSupernodeNetwork, JsonRpcWallet, signingBy } from '#rpc';
import { expectCleanBooks, marked } from './canary.js';
import { testDatabases } from './databases.js';
import { ManualClock } from './manual-clock.js';
import { breath, turnUntil } from './turns.js';

const USER = { user: 'devnet', password: 'devnet' };
const TICK_MS = 1000;
/** Turns of the clock between two blocks while somebody waits. */
const TICKS_PER_BLOCK = 5;
const TICKS_MAX = 600;
const BREATH_MS = 10;

export interface RunningSupernode extends DevnetSupernodeFacts {
  readonly url: string;
  readonly app: NestExpressApplication;
}

/** A devnet whose blocks and clock the test moves, five supernodes that serve HTTP, and a funded user. */
export class TestNetwork {
  readonly clock: ManualClock;
  private constructor(
    readonly devnet: Devnet,
    readonly rpcPort: number,
    readonly supernodes: RunningSupernode[],
    private readonly closing: (() => Promise<unknown>)[],
  ) {
    this.clock = devnet.clock as ManualClock;
  }

  static async start(
    options: {
      database?: 'SQLite' | 'PostgreSQL';
      /** The address of an empty one for each supernode, in the place of those. */
      newDatabase?: () => Promise<string>;
      environment?: Record<string, string>;
      supernodes?: number;
      logger?: (settings: Settings, clock: Clock) => WinstonLogger;
      /** 127.0.0.1, 127.0.0.2 … on one port, as the existing clients want it, instead of one address with many ports. */
      ownHosts?: boolean;
    } = {},
  ): Promise<TestNetwork> {
    const clock = new ManualClock();
    const entropy = new SystemEntropy();
    const ports = await freePorts(options.supernodes ?? 5);
    const places = ports.map((port, i) =>
      options.ownHosts ? { ip: `127.0.0.${i + 1}`, port: ports[0]! } : { ip: '127.0.0.1', port },
    );
    const devnet = await Devnet.create({
      clock,
      entropy,
      user: USER,
      blocks: 'on demand',
      controls: true,
      supernodes: places.map((place, i) => ({ user: `sn${i + 1}`, ...secretsOf(`sn${i + 1}`), ...place })),
    });
    const rpc = await devnet.listen('127.0.0.1', 0);
    const network = new TestNetwork(devnet, Number(new URL(rpc.url).port), [], [() => devnet.close(), () => rpc.close()]);
    for (const facts of devnet.supernodes) {
      const databaseUrl = await options.newDatabase?.();
      await network.startSupernode(facts, { ...options, ...(databaseUrl !== undefined && { databaseUrl }) });
    }
    return network;
  }

  /** Starts a node; with a `databaseUrl`, on the books of an earlier run. */
  async startSupernode(
    facts: DevnetSupernodeFacts,
    options: {
      database?: string;
      environment?: Record<string, string>;
      databaseUrl?: string;
      logger?: (settings: Settings, clock: Clock) => WinstonLogger;
      /** One that is wrong. */
      clock?: Clock;
    } = {},
  ): Promise<RunningSupernode> {
    const { clock = this.clock } = options;
    const database = testDatabases().find(({ name }) => name === (options.database ?? 'SQLite'))!;
    const settings = readSettings(
      new Environment({
        ...this.environmentOfSupernode(facts),
        DATABASE_URL: options.databaseUrl ?? (await database.url()),
        ...options.environment,
      }),
      providers,
    );
    const app = await createSupernode({
      settings,
      schedules: false,
      schemaBy: 'synchronize',
      logger: options.logger?.(settings, clock) ?? ['error'],
      machine: { clock, entropy: new SystemEntropy(), checking: pooledChecking },
    });
    await app.listen(facts.port, facts.ip);
    const running = { ...facts, app, url: `http://${facts.ip}:${facts.port}` };
    this.supernodes.push(running);
    return running;
  }
  async stopSupernode(node: RunningSupernode): Promise<void> {
    this.supernodes.splice(this.supernodes.indexOf(node), 1);
    await closed(node.app);
  }

  /** All but its database. */
  environmentOfSupernode(facts: DevnetSupernodeFacts): Record<string, string> {
    return {
      ...this.environmentOf(facts.user),
      LOCAL_PASTEL_ID_PASSPHRASE: secretsOf(facts.user).passphrase,
      UVICORN_PORT: String(facts.port),
      LISTEN_HOST: facts.ip,
      SANDBOX_PROVIDER: '1',
      FIXED_PSL_PRICE_IN_USD: '0.0005',
    };
  }
  environmentOf(user: string): Record<string, string> {
    return {
      RPC_HOST: '127.0.0.1',
      RPC_PORT: String(this.rpcPort),
      NETWORK: 'devnet',
      RPC_USER: user,
      RPC_PASSWORD: user === USER.user ? USER.password : secretsOf(user).password,
      SUPERNODE_API_PORT: 'listed',
    };
  }

  /** The user's side of pasteld, as a client program has it. */
  get user() {
    return (this.userNode ??= this.openUserNode());
  }
  private userNode: ReturnType<TestNetwork['openUserNode']> | undefined;
  private openUserNode() {
    const settings: RpcSettings = readSettings(new Environment(this.environmentOf(USER.user))).rpc;
    const rpc = new JsonRpcClient(settings, this.clock);
    this.closing.unshift(async () => rpc.close());
    return {
      rpc,
      chain: new JsonRpcChain(rpc),
      identity: new JsonRpcIdentity(rpc),
      wallet: new JsonRpcWallet(rpc),
      network: new JsonRpcSupernodeNetwork(rpc, this.clock, { listMaxAgeMs: 60_000, apiPort: 'listed', pastelId: undefined }),
    };
  }
  /** Whoever signs so, with the user's coins. */
  side(signing: Signing): UserSide {
    const { rpc: _rpc, ...user } = this.user;
    const { burnAddress } = networks.devnet;
    return { ...user, clock: this.clock, signing, checking: pooledChecking, entropy: new SystemEntropy(), burnAddress };
  }
  /** A PastelID of the user's, made but not on the chain. */
  async newSigning(): Promise<Signing> {
    const { identity } = this.user;
    const passphrase = marked('user passphrase');
    return signingBy(identity, await identity.create(passphrase), passphrase);
  }

  /** Blocks take time: supernodes look at the height once a second when they judge how fresh a message is. */
  mine(blocks = 1): string[] {
    const hashes = this.devnet.generate(blocks);
    this.clock.advance(TICK_MS);
    return hashes;
  }
  get height(): number {
    return this.devnet.state.ledger.height;
  }

  /** One round of everything that the schedules would do, on every node. */
  async sweep(): Promise<void> {
    await Promise.all(
      this.supernodes.map(async ({ app }) => {
        const now = app.get(Clock).now();
        // InboxService hands out what it took in.
        await app.get(InboxService).sweep(now);
        await app.get(CreditPackSweeps).sweep(now);
        await app.get(InferenceSweeps).sweep(now);
        await app.get(MeasuredPeerHealth).sweep(now);
      }),
    );
  }

  /** The books of every node agree with themselves. */
  async expectSound(): Promise<void> {
    for (const { app, user } of this.supernodes)
      assert.deepEqual((await app.get(Reconciliation).reconcile()).differences, [], `the books of ${user}`);
  }

  /** Moves clock, blocks and sweeps until the work is done. */
  until<T>(work: Promise<T>): Promise<T> {
    return turnUntil(work, {
      turnsMax: TICKS_MAX,
      look: () => breath(BREATH_MS),
      turn: async (tick) => {
        if (tick % TICKS_PER_BLOCK === 0) {
          this.mine();
          await this.sweep();
        }
        this.clock.advance(TICK_MS);
      },
    });
  }

  /** Looks until it sees something, while neither clock nor chain moves. */
  async see<T>(look: () => Promise<T | undefined | false>): Promise<T> {
    for (let turn = 0; turn < TICKS_MAX; turn++) {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      await breath(BREATH_MS);
    }
    throw new Error('What the test looks for does not show');
  }

  async close(): Promise<void> {
    await Promise.all(this.supernodes.map(({ app }) => closed(app)));
    for (const close of this.closing) await close();
  }
}

/** For a client: this supernode before all others. */
export const first =
  (pastelId: string) =>
  (a: Supernode, b: Supernode): number =>
    Number(b.pastelId === pastelId) - Number(a.pastelId === pastelId);

const secretsOf = (user: string) => ({ password: marked(`${user} password`), passphrase: marked(`${user} passphrase`) });

/** Before its tables are gone, they are looked through for secrets. */
async function closed(app: NestExpressApplication): Promise<void> {
  try {
    await expectCleanBooks(app);
  } finally {
    await app.close();
  }
}

/**
 * Not from the range out of which systems take ports for outgoing connections: one of those would be in the way when a node that has
 * stopped starts again.
 */
const [PORTS_FROM, PORTS_TO] = [12_000, 32_000];
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  while (servers.length < count) {
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(randomInt(PORTS_FROM, PORTS_TO), '127.0.0.1', () => resolve(true));
    });
    if (isFree) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve);
        }),
    ),
  );
  return ports;
}
