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
