import type { IndexedOutput } from './address-index.js';
import { addressOf } from './keys.js';
import type { DevnetState } from './state.js';
import { isCoinbase } from './transaction.js';

/** The outputs that a transaction spends, of `sender` alone where it is named. */
export function inputsFrom(
  state: DevnetState,
  txid: string,
  sender?: string,
): { txid: string; outputIndex: number; patoshis: number }[] {
  const tx = state.find(txid);
  if (!tx || isCoinbase(tx)) return [];
  return tx.inputs.flatMap((input) => {
    const output = state.mempool.output(input.txid, input.vout);
    if (!output || (sender !== undefined && addressOf(output.script) !== sender)) return [];
    return [{ txid: input.txid, outputIndex: input.vout, patoshis: output.patoshis }];
  });
}

/** Unspent outputs to `address` of transactions with an input of `sender`, each once; waiting ones have height -1 and no lower bound. */
export function outputsSentBy(
  state: DevnetState,
  sender: string,
  address: string,
  minHeight: number,
  withMempool: boolean,
): IndexedOutput[] {
  const mined = state.index.unspent(address).filter(({ height }) => height >= minHeight);
  const waiting = !withMempool
    ? []
    : state.mempool.all().flatMap(({ tx }) =>
        tx.outputs.flatMap((output, vout): IndexedOutput[] => {
          if (addressOf(output.script) !== address || state.mempool.spendOf(tx.txid, vout)) return [];
          return [{ address, txid: tx.txid, vout, patoshis: output.patoshis, height: -1 }];
        }),
      );
  return [...mined, ...waiting].filter(({ txid }) => inputsFrom(state, txid, sender).length > 0);
}

/** Txids that touch any of the addresses, in chain order, each once. */
export function txidsOf(state: DevnetState, addresses: readonly string[], from: number, to: number): string[] {
  const rows = addresses.flatMap((address) => state.index.txids(address)).filter(({ height }) => height >= from && height <= to);
  const place = (txid: string): number => state.ledger.find(txid)?.position ?? 0;
  const ordered = [...new Map(rows.map((row) => [row.txid, row.height]))].sort(
    (a, b) => a[1] - b[1] || place(a[0]) - place(b[0]),
  );
  return ordered.map(([txid]) => txid);
}
