import type { Clock, Entropy } from '#protocol';
import { coinbase, makeBlock } from './block.js';
import { isSameSecret, randomBytes } from './bytes.js';
import { Faults } from './faults.js';
import type { Journal } from './journal.js';
import { keyPair, type KeyPair } from './keys.js';
import type { DevnetOptions } from './options.js';
import type { Account, DevnetEvent, DevnetState } from './state.js';
import type { Tx } from './transaction.js';

const BLOCK_TRANSACTIONS_MAX = 2_000;

/** The network without its doors: state, and the few ways to change it. */
export class DevnetCore {
  readonly faults = new Faults();
  /** Whether `sendmany` spends the coins of its change address first; pasteld promises no such thing. */
  preferChangeCoins = true;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Told of each transaction that enters the mempool. */
  protected transactionArrived: () => void = () => undefined;

  constructor(
    readonly options: DevnetOptions,
    readonly state: DevnetState,
    protected readonly journal: Journal,
  ) {
    this.clock = options.clock;
    this.entropy = options.entropy;
  }

  get seconds(): number {
    return Math.floor(this.clock.now().getTime() / 1000);
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
    this.transactionArrived();
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
