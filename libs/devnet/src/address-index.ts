import type { Block } from './block.js';
import { addressOf } from './keys.js';
import type { ChainWatcher, Ledger } from './ledger.js';
import { isCoinbase, outpointKey, type Tx } from './transaction.js';

export interface IndexedOutput {
  readonly address: string;
  readonly txid: string;
  readonly vout: number;
  readonly patoshis: number;
  readonly height: number;
}
interface AddressRows {
  /** In chain order; one row for each transaction that pays or spends the address. */
  readonly txids: { readonly txid: string; readonly height: number }[];
  readonly outputs: Map<string, IndexedOutput>;
  readonly unspent: Set<string>;
}

/** What `-insightexplorer` adds to a node: mined transactions and outputs by address. */
export class AddressIndex implements ChainWatcher {
  private readonly rows = new Map<string, AddressRows>();

  constructor(private readonly ledger: Ledger) {}

  txids(address: string): readonly { readonly txid: string; readonly height: number }[] {
    return this.rows.get(address)?.txids ?? [];
  }
  /** Mined outputs, spent ones too, in chain order. */
  outputs(address: string): IndexedOutput[] {
    return [...(this.rows.get(address)?.outputs.values() ?? [])];
  }
  /** Mined outputs that no mined transaction spends, in chain order. */
  unspent(address: string): IndexedOutput[] {
    const rows = this.rows.get(address);
    if (!rows) return [];
    return [...rows.unspent]
      .map((key) => rows.outputs.get(key))
      .filter((output) => output !== undefined)
      .sort((a, b) => a.height - b.height);
  }

  connected(block: Block): void {
    for (const tx of block.txs) {
      const touched = new Set<string>();
      tx.outputs.forEach((output, vout) => {
        const address = addressOf(output.script);
        if (address === undefined) return;
        const rows = this.rowsOf(address);
        const key = outpointKey(tx.txid, vout);
        rows.outputs.set(key, { address, txid: tx.txid, vout, patoshis: output.patoshis, height: block.height });
        rows.unspent.add(key);
        touched.add(address);
      });
      for (const { address, key } of this.spentBy(tx)) {
        this.rowsOf(address).unspent.delete(key);
        touched.add(address);
      }
      for (const address of touched) this.rowsOf(address).txids.push({ txid: tx.txid, height: block.height });
    }
  }

  disconnected(block: Block): void {
    for (const tx of [...block.txs].reverse()) {
      for (const { address, key } of this.spentBy(tx, block)) {
        const rows = this.rowsOf(address);
        if (rows.outputs.has(key)) rows.unspent.add(key);
        dropLast(rows, tx.txid);
      }
      tx.outputs.forEach((output, vout) => {
        const address = addressOf(output.script);
        if (address === undefined) return;
        const rows = this.rowsOf(address);
        rows.outputs.delete(outpointKey(tx.txid, vout));
        rows.unspent.delete(outpointKey(tx.txid, vout));
        dropLast(rows, tx.txid);
      });
    }
  }

  /** `gone`: a block that the ledger has taken off already, whose outputs it no longer knows. */
  private spentBy(tx: Tx, gone?: Block): { address: string; key: string }[] {
    if (isCoinbase(tx)) return [];
    return tx.inputs.flatMap((input) => {
      const output =
        this.ledger.output(input.txid, input.vout) ?? gone?.txs.find((other) => other.txid === input.txid)?.outputs[input.vout];
      const address = output && addressOf(output.script);
      return address === undefined ? [] : [{ address, key: outpointKey(input.txid, input.vout) }];
    });
  }
  private rowsOf(address: string): AddressRows {
    let rows = this.rows.get(address);
    if (!rows) this.rows.set(address, (rows = { txids: [], outputs: new Map(), unspent: new Set() }));
    return rows;
  }
}
function dropLast(rows: AddressRows, txid: string): void {
  const at = rows.txids.findLastIndex((row) => row.txid === txid);
  if (at >= 0) rows.txids.splice(at, 1);
}
