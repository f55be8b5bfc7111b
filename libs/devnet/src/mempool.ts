import type { Block } from './block.js';
import { networks } from '#protocol';
import { addressOf } from './keys.js';
import type { Ledger } from './ledger.js';
import { RPC, RpcError } from './rpc-error.js';
import { isCoinbase, isSigned, outpointKey, type Tx, type TxOutput } from './transaction.js';

const TRANSACTIONS_MAX = 5_000;
/** 3 x the relay fee of 182 bytes at 30 patoshis per kB; smaller outputs are dust (pasteld spec B.2). */
export const DUST_PATOSHIS = 15;
const RELAY_FEE_PER_KB = 30;
const EXPIRING_SOON_BLOCKS = 3;
export const TRANSACTION_BYTES_MAX = 2_000_000;

export interface Waiting {
  readonly tx: Tx;
  /** Unix seconds. */
  readonly time: number;
}

/** Outputs to the burn address are never dust: a burn of one patoshi is a payment. */
export const isDust = (output: TxOutput): boolean =>
  output.patoshis < DUST_PATOSHIS && addressOf(output.script) !== networks.devnet.burnAddress;

/** Transactions that wait for a block, oldest first; parents always stand before children. */
export class Mempool {
  private readonly waiting = new Map<string, Waiting>();
  private readonly spends = new Map<string, { readonly txid: string; readonly index: number }>();

  constructor(private readonly ledger: Ledger) {}

  get size(): number {
    return this.waiting.size;
  }
  all(): Waiting[] {
    return [...this.waiting.values()];
  }
  find(txid: string): Waiting | undefined {
    return this.waiting.get(txid);
  }
  spendOf(txid: string, vout: number): { readonly txid: string; readonly index: number } | undefined {
    return this.spends.get(outpointKey(txid, vout));
  }
  /** An output on the chain or in the mempool, spent or not. */
  output(txid: string, vout: number): TxOutput | undefined {
    return this.ledger.output(txid, vout) ?? this.waiting.get(txid)?.tx.outputs[vout];
  }
  fee(tx: Tx): number {
    if (isCoinbase(tx)) return 0;
    const paidIn = tx.inputs.reduce((sum, input) => sum + (this.output(input.txid, input.vout)?.patoshis ?? 0), 0);
    return paidIn - tx.outputs.reduce((sum, output) => sum + output.patoshis, 0);
  }

  /** Refuses with the node's words what it would not relay. `trusted`: made or checked here already, so signatures are not. */
  check(tx: Tx, trusted: boolean): void {
    if (this.ledger.find(tx.txid)) throw new RpcError(RPC.alreadyInChain, 'transaction already in block chain');
    if (this.size >= TRANSACTIONS_MAX) throw rejected(66, 'mempool full');
    if (tx.inputs.length === 0) throw rejected(16, 'bad-txns-vin-empty');
    if (tx.outputs.length === 0) throw rejected(16, 'bad-txns-vout-empty');
    if (isCoinbase(tx)) throw rejected(16, 'coinbase');
    if (tx.size > TRANSACTION_BYTES_MAX) throw rejected(16, 'bad-txns-oversize');
    if (tx.outputs.some((output) => output.patoshis < 0)) throw rejected(16, 'bad-txns-vout-negative');
    if (tx.expiryHeight !== 0 && tx.expiryHeight < this.ledger.height + 1 + EXPIRING_SOON_BLOCKS)
      throw rejected(16, 'tx-expiring-soon');
    if (tx.outputs.some(isDust)) throw rejected(64, 'dust');
    this.checkInputs(tx, trusted);
    const fee = this.fee(tx);
    if (fee < 0) throw rejected(16, 'bad-txns-in-belowout');
    if (fee < Math.floor((RELAY_FEE_PER_KB * tx.size) / 1000)) throw rejected(66, 'insufficient priority');
  }
  private checkInputs(tx: Tx, trusted: boolean): void {
    const own = new Set<string>();
    tx.inputs.forEach((input, index) => {
      const key = outpointKey(input.txid, input.vout);
      const output = this.output(input.txid, input.vout);
      if (!output || this.ledger.spendOf(input.txid, input.vout)) {
        throw new RpcError(RPC.verify, `Missing inputs. Transaction ${tx.txid} spends an output that is not known or is spent`);
      }
      if (own.has(key)) throw rejected(16, 'bad-txns-inputs-duplicate');
      own.add(key);
      if (this.spends.has(key)) throw rejected(18, 'txn-mempool-conflict');
      const mined = this.ledger.find(input.txid);
      if (mined && !this.ledger.isMature(mined)) throw rejected(16, 'bad-txns-premature-spend-of-coinbase');
      if (!trusted && !isSigned(tx, index, output)) throw rejected(16, 'mandatory-script-verify-flag-failed');
    });
  }

  add(tx: Tx, time: number): void {
    this.waiting.set(tx.txid, { tx, time });
    tx.inputs.forEach((input, index) => this.spends.set(outpointKey(input.txid, input.vout), { txid: tx.txid, index }));
  }

  /** Takes a transaction and all that spend it out; returns their ids, children first. */
  remove(txid: string): string[] {
    const entry = this.waiting.get(txid);
    if (!entry) return [];
    const children = entry.tx.outputs.flatMap((_, vout) => {
      const child = this.spendOf(txid, vout);
      return child ? this.remove(child.txid) : [];
    });
    this.forget(entry.tx);
    return [...children, txid];
  }
  private forget(tx: Tx): void {
    this.waiting.delete(tx.txid);
    for (const input of tx.inputs) {
      const key = outpointKey(input.txid, input.vout);
      if (this.spends.get(key)?.txid === tx.txid) this.spends.delete(key);
    }
  }

  /** After a block: what it holds is no longer waiting, and what it contradicts or lets expire is gone. */
  settle(block: Block): void {
    for (const tx of block.txs) {
      if (this.waiting.has(tx.txid)) this.forget(tx);
      if (isCoinbase(tx)) continue;
      for (const input of tx.inputs) {
        const rival = this.spendOf(input.txid, input.vout);
        if (rival) this.remove(rival.txid);
      }
    }
    for (const { tx } of this.all()) if (tx.expiryHeight !== 0 && tx.expiryHeight < block.height + 1) this.remove(tx.txid);
  }

  /** After blocks were taken off: their transactions come first again; what no longer stands (a lost coin below it) is gone. */
  restore(txs: readonly Tx[], time: number): void {
    const later = this.all();
    for (const { tx } of later) this.forget(tx);
    for (const entry of [...txs.map((tx) => ({ tx, time })), ...later]) {
      try {
        this.check(entry.tx, true);
      } catch {
        continue;
      }
      this.add(entry.tx, entry.time);
    }
  }
}
const rejected = (code: number, reason: string): RpcError => new RpcError(RPC.rejected, `${code}: ${reason}`, reason);
