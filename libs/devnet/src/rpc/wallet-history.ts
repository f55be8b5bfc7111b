import { addressOf } from '../keys.js';
import { RPC, RpcError } from '../rpc-error.js';
import type { Account, DevnetState } from '../state.js';
import { isCoinbase, type Tx } from '../transaction.js';
import type { Wallet } from '../wallet.js';
import type { MethodTable } from './method.js';
import { amounts, type ReplyObject } from './reply.js';

interface Detail {
  readonly address: string | undefined;
  readonly category: 'send' | 'receive' | 'generate' | 'immature';
  readonly patoshis: number;
  readonly vout: number;
  readonly watched: boolean;
  readonly fee?: number;
}

/** A transaction as one wallet sees it; undefined where it is none of its. */
function walletView(
  state: DevnetState,
  { wallet }: Account,
  tx: Tx,
): { net: number; fee?: number; details: Detail[] } | undefined {
  const spent = isCoinbase(tx) ? [] : tx.inputs.map((input) => state.mempool.output(input.txid, input.vout));
  const debit = spent.reduce(
    (total, output) => total + (output && wallet.isMine(addressOf(output.script)) ? output.patoshis : 0),
    0,
  );
  const credit = tx.outputs.reduce((total, output) => total + (wallet.isMine(addressOf(output.script)) ? output.patoshis : 0), 0);
  const watched = [...spent, ...tx.outputs].some((output) => output && wallet.isWatched(addressOf(output.script)));
  if (debit === 0 && credit === 0 && !watched) return undefined;
  const fee = debit > 0 ? state.mempool.fee(tx) : undefined;
  return { net: credit - debit + (fee ?? 0), ...(fee !== undefined && { fee }), details: detailsOf(state, wallet, tx, fee) };
}

function detailsOf(state: DevnetState, wallet: Wallet, tx: Tx, fee: number | undefined): Detail[] {
  const mined = state.ledger.find(tx.txid);
  const received = !isCoinbase(tx) ? 'receive' : mined && state.ledger.isMature(mined) ? 'generate' : 'immature';
  const outputs = tx.outputs.map((output, vout) => ({ output, vout, address: addressOf(output.script) }));
  // An own address that nobody has named is change.
  const isChange = (address?: string): boolean => wallet.isMine(address) && !wallet.labels.has(address ?? '');
  const sent = fee === undefined ? [] : outputs.filter(({ address }) => !isChange(address));
  const got = outputs.filter(
    ({ address }) => (wallet.isMine(address) && !(fee !== undefined && isChange(address))) || wallet.isWatched(address),
  );
  return [
    ...sent.map(({ output, vout, address }) => {
      return { address, vout, category: 'send' as const, patoshis: -output.patoshis, watched: false, fee: -(fee ?? 0) };
    }),
    ...got.map(({ output, vout, address }) => {
      return { address, vout, category: received, patoshis: output.patoshis, watched: wallet.isWatched(address) } as const;
    }),
  ];
}

const detailView = (wallet: Wallet, detail: Detail, size: number): ReplyObject => ({
  involvesWatchonly: detail.watched || undefined,
  account: '',
  address: detail.address,
  category: detail.category,
  ...amounts('amount', detail.patoshis),
  label: detail.address === undefined ? undefined : wallet.labels.get(detail.address),
  vout: detail.vout,
  ...(detail.fee !== undefined && amounts('fee', detail.fee)),
  size,
});

/** What `gettransaction` and `listsinceblock` both say of a transaction. */
function commonView(state: DevnetState, { wallet }: Account, tx: Tx): ReplyObject {
  const mined = state.ledger.find(tx.txid);
  const time = mined?.block.time ?? state.mempool.find(tx.txid)?.time ?? 0;
  const note = wallet.notes.get(tx.txid);
  const expiring = tx.expiryHeight !== 0 && tx.expiryHeight < state.ledger.height + 4;
  return {
    confirmations: mined ? state.ledger.height - mined.block.height + 1 : 0,
    generated: isCoinbase(tx) || undefined,
    ...(mined && {
      blockhash: mined.block.hash,
      blockindex: mined.position,
      blocktime: mined.block.time,
      expiryheight: tx.expiryHeight,
    }),
    status: mined ? 'mined' : expiring ? 'expiringsoon' : 'waiting',
    txid: tx.txid,
    walletconflicts: [],
    time,
    timereceived: time,
    comment: note?.comment || undefined,
    to: note?.to || undefined,
  };
}

/** Transactions of a wallet in chain order, the waiting ones last. */
function walletTransactions(state: DevnetState, { wallet }: Account, above: number, withWatched: boolean): Tx[] {
  const addresses = [...wallet.ownAddresses, ...(withWatched ? wallet.watchedAddresses : [])];
  const heights = new Map(
    addresses
      .flatMap((address) => state.index.txids(address))
      .filter(({ height }) => height > above)
      .map((row) => [row.txid, row.height]),
  );
  const mined = [...heights].sort((a, b) => a[1] - b[1]).flatMap(([txid]) => state.ledger.find(txid)?.tx ?? []);
  const account = addresses.length > 0 ? state.mempool.all().map(({ tx }) => tx) : [];
  return [...mined, ...account];
}

export const historyMethods: MethodTable = {
  gettransaction: {
    usage: 'gettransaction "txid" ( includeWatchonly )',
    run: ({ devnet: { state }, account, args }) => {
      args.between(1, 2);
      args.strictFlag(1, false);
      const tx = state.find(args.text(0).toLowerCase());
      const view = tx && walletView(state, account, tx);
      if (!tx || !view) throw new RpcError(RPC.addressOrKey, 'Invalid or non-wallet transaction id');
      return {
        ...amounts('amount', view.net),
        ...(view.fee !== undefined && amounts('fee', -view.fee)),
        ...commonView(state, account, tx),
        details: view.details.map((detail) => detailView(account.wallet, detail, tx.size)),
        hex: tx.hex,
      };
    },
  },
  listsinceblock: {
    usage: 'listsinceblock ( "blockhash" target-confirmations includeWatchonly )',
    run: ({ devnet: { state }, account, args }) => {
      args.between(0, 3);
      const since = args.has(0) ? state.ledger.blockOf(args.text(0).toLowerCase()) : undefined;
      const target = args.integerOr(1, 1);
      const withWatched = args.strictFlag(2, false);
      if (target < 1) throw new RpcError(RPC.parameter, 'Invalid parameter');
      const transactions = walletTransactions(state, account, since?.block.height ?? -1, withWatched).flatMap((tx) => {
        const details = walletView(state, account, tx)?.details ?? [];
        return details
          .filter(({ watched }) => withWatched || !watched)
          .map((detail) => ({ ...detailView(account.wallet, detail, tx.size), ...commonView(state, account, tx) }));
      });
      return { transactions, lastblock: state.ledger.blockAt(state.ledger.height + 1 - target)?.hash ?? '' };
    },
  },
};
