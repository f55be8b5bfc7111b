import { DecodeError } from '../bytes.js';
import { RPC, RpcError } from '../rpc-error.js';
import { parseTx, type Tx } from '../transaction.js';
import type { MethodTable } from './method.js';
import { minedView, txView } from './views.js';

const UNKNOWN = 'No such mempool or blockchain transaction. Use gettransaction for wallet transactions.';

/** A transaction id, or the refusal that names the parameter. */
function asTxid(text: string, parameter = 1): string {
  if (!/^[0-9a-f]{64}$/i.test(text))
    throw new RpcError(RPC.parameter, `parameter ${parameter} must be hexadecimal string (not '${text}')`);
  return text.toLowerCase();
}
function decoded(hex: string): Tx {
  try {
    return parseTx(hex);
  } catch (error) {
    if (error instanceof DecodeError) throw new RpcError(RPC.deserialise, 'TX decode failed');
    throw error;
  }
}

export const rawTransactionMethods: MethodTable = {
  getrawtransaction: {
    usage: 'getrawtransaction "txid" ( verbose "blockhash" )',
    run: ({ devnet, args }) => {
      args.between(1, 3);
      const txid = asTxid(args.text(0));
      const verbose = args.integerOr(1, 0) !== 0;
      // A null third argument is refused by a real node, and so breaks a client that sends one; here it counts as absent.
      const inBlock = args.has(2) ? devnet.state.ledger.blockOf(asTxid(args.text(2), 3)) : undefined;
      if (args.has(2) && !inBlock) throw new RpcError(RPC.addressOrKey, 'Block hash not found');
      const tx = inBlock ? inBlock.block.txs.find((candidate) => candidate.txid === txid) : devnet.state.find(txid);
      if (!tx) throw new RpcError(RPC.addressOrKey, inBlock ? 'No such transaction found in the provided block' : UNKNOWN);
      if (!verbose) return tx.hex;
      return { in_active_chain: inBlock && !inBlock.stale, ...minedView(devnet.state, tx) };
    },
  },
  decoderawtransaction: {
    usage: 'decoderawtransaction "hexstring"',
    run: ({ devnet, args }) => {
      args.between(1, 1);
      return txView(devnet.state, decoded(args.text(0)));
    },
  },
  sendrawtransaction: {
    usage: 'sendrawtransaction "hexstring" ( allowhighfees )',
    run: ({ devnet, args }) => {
      args.between(1, 2);
      const tx = decoded(args.text(0));
      if (!devnet.state.mempool.find(tx.txid)) devnet.submit(tx);
      return tx.txid;
    },
  },
};
