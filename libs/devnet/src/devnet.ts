import { init } from '@bokuweb/zstd-wasm';
import type { Clock, Entropy } from '#protocol';
import { BlockProducer, type BlockSchedule } from './block-producer.js';
import { coinbase, makeBlock } from './block.js';
import { isSameSecret, randomBytes } from './bytes.js';
import { Controls } from './controls.js';
import { Faults } from './faults.js';
import { begin } from './genesis.js';
import { listen, type Listening } from './http-server.js';
import { Journal } from './journal.js';
import { keyPair, type KeyPair } from './keys.js';
import { DevnetState, type Account, type DevnetEvent, type MasternodePlace } from './state.js';
import type { Tx } from './transaction.js';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}
export interface SupernodeOptions extends Credentials {
  readonly ip: string;
  /** As the supernode list shows it; peers' HTTP ports are another matter. */
  readonly port: number;
  /** Of the PastelID made for it; the password where absent. */
  readonly passphrase?: string;
  readonly extAddress?: string;
  readonly extP2P?: string;
}
export interface DevnetOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Kept between runs; nothing is kept without it. */
  readonly dataFile?: string;
  readonly user: Credentials;
  readonly supernodes: readonly SupernodeOptions[];
  readonly blocks: BlockSchedule;
  /** The first block of the chain's own stands one above. */
  readonly startHeight?: number;
  /** Opens the RPC method `devnet`, which breaks things on purpose. */
  readonly controls?: boolean;
}
/** What a supernode must know of itself to use its pasteld. */
export interface DevnetSupernodeFacts {
  readonly user: string;
  readonly ip: string;
  readonly port: number;
  readonly pastelId: string;
  readonly publicKey: string;
  readonly outpoint: string;
}

const START_HEIGHT = 760_000;
const BLOCK_TRANSACTIONS_MAX = 2_000;

/** A whole Pastel network in one process: one chain, and for each credential a node with a wallet, PastelIDs and an inbox of its own. */
export class Devnet {
  readonly faults = new Faults();
  readonly controls = new Controls(this);
  readonly clock: Clock;
  readonly entropy: Entropy;
  private readonly producer: BlockProducer;

  private constructor(
    readonly options: DevnetOptions,
    readonly state: DevnetState,
    private readonly journal: Journal,
  ) {
    this.clock = options.clock;
    this.entropy = options.entropy;
    this.producer = new BlockProducer(this, options.blocks);
  }

  /** Opens the data file, or begins a new chain. Blocks come by themselves from now on, unless they are made on demand. */
  static async create(options: DevnetOptions): Promise<Devnet> {
    await init();
    const places = new Map<string, MasternodePlace>(options.supernodes.map((node) => [node.user, placeOf(node)]));
    const journal = new Journal(options.dataFile);
    const known = journal.read();
    const start = known?.[0] ?? firstEvent(options);
    if (start.kind !== 'start' || start.format !== 1) throw new Error(`${options.dataFile} is not a data file of this devnet`);
    const devnet = new Devnet(options, new DevnetState(start, options.clock, places), journal);
    if (known) {
      for (const event of known.slice(1)) devnet.state.apply(event);
      for (const { user } of [options.user, ...options.supernodes]) devnet.state.account(user);
    } else {
      journal.append(start);
      await begin(devnet, options);
      journal.begin();
    }
    devnet.producer.start();
    return devnet;
  }

  /** Serves JSON-RPC over HTTP, as pasteld does; port 0 takes a free one. */
  listen(host: string, port: number): Promise<Listening> {
    return listen(this, host, port);
  }
  /** Makes no more blocks. Servers are closed by whoever opened them. */
  async close(): Promise<void> {
    await this.producer.stop();
  }

  get seconds(): number {
    return Math.floor(this.clock.now().getTime() / 1000);
  }
  get supernodes(): DevnetSupernodeFacts[] {
    return this.state.masternodes.all().map(({ user, ip, port, pastelId, key, txid, vout }) => {
      return { user, ip, port, pastelId, publicKey: key.publicKey.toString('hex'), outpoint: `${txid}-${vout}` };
    });
  }
  account(user: string): Account {
    return this.state.account(user);
  }
  /** The account that a user name and a password open. */
  authorised(user: string, password: string): Account | undefined {
    const known = [this.options.user, ...this.options.supernodes].find((credentials) => credentials.user === user);
    return known && isSameSecret(password, known.password) ? this.state.account(user) : undefined;
  }

  /** Changes the state and writes the change down. */
  record(event: DevnetEvent): void {
    this.state.apply(event);
    this.journal.append(event);
  }
  newKey(user: string, label?: string): KeyPair {
    const key = keyPair(randomBytes(this.entropy, 32));
    this.record({
      kind: 'key',
      user,
      secret: key.secret.toString('hex'),
      compressed: true,
      ...(label !== undefined && { label }),
    });
    return key;
  }
  /** Puts a transaction into the mempool, or refuses it as the node would. `trusted`: signed by a wallet of ours just now. */
  submit(tx: Tx, trusted = false): void {
    this.state.mempool.check(tx, trusted);
    this.record({ kind: 'transaction', hex: tx.hex, time: this.seconds });
    this.producer.transactionArrived();
  }

  /** Makes `count` blocks; the first takes what waits in the mempool. Gives their hashes. */
  generate(count = 1): string[] {
    return Array.from({ length: count }, () => this.mineAt(Math.max(this.seconds, this.state.ledger.tip.time + 1)));
  }
  /** One block. `first`: a coinbase of the caller's; `txs`: instead of what waits in the mempool. */
  mineAt(time: number, first?: Tx, txs?: readonly Tx[]): string {
    const { ledger, mempool } = this.state;
    const chosen =
      txs ??
      mempool
        .all()
        .slice(0, BLOCK_TRANSACTIONS_MAX)
        .map(({ tx }) => tx);
    const nonce = randomBytes(this.entropy, 32).toString('hex');
    const fees = chosen.reduce((total, tx) => total + mempool.fee(tx), 0);
    const head = first ?? coinbase(ledger.height + 1, fees, nonce);
    const block = makeBlock({ height: ledger.height + 1, previousHash: ledger.tipHash, time, nonce, txs: [head, ...chosen] });
    const transactions = [head.hex, ...chosen.map((tx) => (mempool.find(tx.txid) ? tx.txid : tx.hex))];
    this.record({ kind: 'block', hash: block.hash, time, nonce, transactions });
    return block.hash;
  }
}

function firstEvent(options: DevnetOptions): DevnetEvent & { kind: 'start' } {
  const time = Math.floor(options.clock.now().getTime() / 1000) - 3_600;
  return { kind: 'start', format: 1, height: options.startHeight ?? START_HEIGHT, time };
}
const placeOf = (node: SupernodeOptions): MasternodePlace => ({
  ip: node.ip,
  port: node.port,
  extAddress: node.extAddress ?? `${node.ip}:4444`,
  extP2P: node.extP2P ?? `${node.ip}:4445`,
});
