import { syntheticBlock, syntheticHash, syntheticHeight, type Block } from './block.js';
import { RPC, RpcError } from './rpc-error.js';
import { isCoinbase, outpointKey, type Tx, type TxInput, type TxOutput } from './transaction.js';

const COINBASE_MATURITY = 100;
const STALE_BLOCKS_KEPT_MAX = 1_000;

export interface Mined {
  readonly tx: Tx;
  readonly block: Block;
  /** Place in its block. */
  readonly position: number;
}
export interface Spend {
  readonly txid: string;
  /** Which input spends. */
  readonly index: number;
  readonly height: number;
}
/** Told of every change of the best chain, in order. */
export interface ChainWatcher {
  connected(block: Block): void;
  disconnected(block: Block): void;
}

/** The best chain: blocks above the start, what they hold, and what is spent. Knows nothing of wallets or the mempool. */
export class Ledger {
  private readonly blocks: Block[] = [];
  private readonly byHash = new Map<string, Block>();
  private readonly stale = new Map<string, Block>();
  private readonly mined = new Map<string, Mined>();
  private readonly spends = new Map<string, Spend>();
  private readonly watchers: ChainWatcher[] = [];

  constructor(readonly start: { readonly height: number; readonly time: number }) {}

  watch(watcher: ChainWatcher): void {
    this.watchers.push(watcher);
  }

  get height(): number {
    return this.start.height + this.blocks.length;
  }
  get tip(): Block {
    return this.blocks.at(-1) ?? syntheticBlock(this.start.height, this.start);
  }
  get tipHash(): string {
    return this.blocks.at(-1)?.hash ?? syntheticHash(this.start.height);
  }

  /** Undefined below 0 and above the tip. */
  blockAt(height: number): Block | undefined {
    if (!Number.isInteger(height) || height < 0 || height > this.height) return undefined;
    return height <= this.start.height ? syntheticBlock(height, this.start) : this.blocks[height - this.start.height - 1];
  }
  /** `stale` blocks once stood on the best chain. */
  blockOf(hash: string): { readonly block: Block; readonly stale: boolean } | undefined {
    const block = this.byHash.get(hash) ?? this.synthetic(hash);
    if (block) return { block, stale: false };
    const old = this.stale.get(hash);
    return old && { block: old, stale: true };
  }
  private synthetic(hash: string): Block | undefined {
    const height = syntheticHeight(hash);
    return height === undefined || height > this.start.height ? undefined : this.blockAt(height);
  }

  find(txid: string): Mined | undefined {
    return this.mined.get(txid);
  }
  spendOf(txid: string, vout: number): Spend | undefined {
    return this.spends.get(outpointKey(txid, vout));
  }
  /** A mined output, spent or not. */
  output(txid: string, vout: number): TxOutput | undefined {
    return this.mined.get(txid)?.tx.outputs[vout];
  }
  isMature(mined: Mined): boolean {
    return !isCoinbase(mined.tx) || this.height - mined.block.height + 1 >= COINBASE_MATURITY;
  }

  /** Adds a block to the tip. Throws, and changes nothing, when an input is missing, spent or immature, or coins are made. */
  connect(block: Block): void {
    if (block.previousHash !== this.tipHash || block.height !== this.height + 1)
      throw new Error(`Block ${block.height} does not follow the tip`);
    this.check(block);
    block.txs.forEach((tx, position) => {
      this.mined.set(tx.txid, { tx, block, position });
      if (!isCoinbase(tx)) {
        tx.inputs.forEach((input, index) =>
          this.spends.set(outpointKey(input.txid, input.vout), { txid: tx.txid, index, height: block.height }),
        );
      }
    });
    this.blocks.push(block);
    this.byHash.set(block.hash, block);
    this.stale.delete(block.hash);
    for (const watcher of this.watchers) watcher.connected(block);
  }

  /** Takes the newest block off. */
  disconnect(): Block {
    const block = this.blocks.pop();
    if (!block) throw new RpcError(RPC.parameter, 'The chain has no more blocks of its own');
    for (const tx of block.txs) {
      this.mined.delete(tx.txid);
      if (!isCoinbase(tx)) for (const input of tx.inputs) this.spends.delete(outpointKey(input.txid, input.vout));
    }
    this.byHash.delete(block.hash);
    if (this.stale.size >= STALE_BLOCKS_KEPT_MAX) this.stale.delete([...this.stale.keys()][0] as string);
    this.stale.set(block.hash, block);
    for (const watcher of this.watchers) watcher.disconnected(block);
    return block;
  }

  private check(block: Block): void {
    const inBlock = new Map<string, Tx>();
    const spent = new Set<string>();
    const source = (input: TxInput): TxOutput => {
      const key = outpointKey(input.txid, input.vout);
      const mined = this.mined.get(input.txid);
      const output = mined?.tx.outputs[input.vout] ?? inBlock.get(input.txid)?.outputs[input.vout];
      if (!output || spent.has(key) || this.spends.has(key))
        throw new Error(`Block ${block.height} spends ${key}, which is missing or spent`);
      if (mined && !this.isMature(mined)) throw new Error(`Block ${block.height} spends an immature coinbase`);
      spent.add(key);
      return output;
    };
    for (const tx of block.txs) {
      if (this.mined.has(tx.txid) || inBlock.has(tx.txid)) throw new Error(`Block ${block.height} repeats ${tx.txid}`);
      if (!isCoinbase(tx)) {
        const paidIn = tx.inputs.reduce((sum, input) => sum + source(input).patoshis, 0);
        if (paidIn < tx.outputs.reduce((sum, output) => sum + output.patoshis, 0))
          throw new Error(`${tx.txid} pays out more than it spends`);
      }
      inBlock.set(tx.txid, tx);
    }
  }
}
