import { sum } from '../coin-selection.rules.js';
import { scriptOf } from '../keys.js';
import { sendMany, sendToAddress } from '../payments.js';
import { RPC, RpcError } from '../rpc-error.js';
import { asAmount, asText } from './args.js';
import type { Call, MethodTable } from './method.js';
import { amounts, psl, type Reply } from './reply.js';

export const walletMethods: MethodTable = {
  getbalance: {
    usage: 'getbalance ( "account" minconf includeWatchonly )',
    run: ({ account, args }) => {
      args.between(0, 3);
      if (!['', '*'].includes(args.textOr(0, '*'))) throw new RpcError(RPC.accounts, 'Accounts are not supported');
      return psl(account.wallet.balance(args.has(1) ? args.integer(1) : 0));
    },
  },
  getwalletinfo: {
    usage: 'getwalletinfo',
    run: ({ devnet, account: { wallet } }) => {
      const trusted = wallet.balance();
      const unconfirmed = sum(wallet.coins(wallet.ownAddresses, true)) - trusted;
      return {
        walletversion: 60_000,
        balance: psl(trusted),
        unconfirmed_balance: psl(unconfirmed),
        immature_balance: psl(0),
        txcount: new Set(wallet.ownAddresses.flatMap((address) => devnet.state.index.txids(address).map(({ txid }) => txid)))
          .size,
        keypoololdest: devnet.state.ledger.start.time,
        keypoolsize: 101,
        paytxfee: psl(0),
      };
    },
  },
  getnewaddress: { usage: 'getnewaddress ( "account" )', run: ({ devnet, account }) => devnet.newKey(account.user, '').address },
  listaddressamounts: {
    usage: 'listaddressamounts ( includeEmpty "filter" )',
    run: ({ account: { wallet }, args }) => {
      args.between(0, 2);
      const [withEmpty, filter] = [args.strictFlag(0, false), args.textOr(1, 'all')];
      const lists = {
        spendableOnly: wallet.ownAddresses,
        watchOnly: wallet.watchedAddresses,
        all: [...wallet.ownAddresses, ...wallet.watchedAddresses],
      };
      const addresses = Object.entries(lists).find(([name]) => name === filter)?.[1];
      if (!addresses)
        throw new RpcError(RPC.parameter, `Invalid filter [${filter}]. Supported values: [spendableOnly, watchOnly, all]`);
      const held = [...wallet.amounts(addresses)].filter(([, patoshis]) => withEmpty || patoshis > 0);
      return Object.fromEntries(held.map(([address, patoshis]) => [address, psl(patoshis)]));
    },
  },
  z_getbalance: {
    usage: 'z_getbalance "address" ( minconf )',
    run: ({ account: { wallet }, args }) => {
      args.between(1, 2);
      const [address, depth] = [args.text(0), args.integerOr(1, 1)];
      if (depth < 0) throw new RpcError(RPC.parameter, 'Minimum number of confirmations cannot be less than 0');
      if (!scriptOf(address)) throw new RpcError(RPC.addressOrKey, 'Invalid from address, should be a taddr or zaddr.');
      if (!wallet.isMine(address) && !wallet.isWatched(address)) return psl(0);
      return psl(sum(wallet.coins([address], depth === 0).filter(({ confirmations }) => confirmations >= depth)));
    },
  },
  listunspent: { usage: 'listunspent ( minconf maxconf ["address",...] )', run: (call) => listUnspent(call) },
  sendtoaddress: {
    usage: 'sendtoaddress "address" amount ( "comment" "comment-to" subtractfeefromamount "change" )',
    run: ({ devnet, account, args }) => {
      args.between(2, 6);
      const script = scriptOf(args.text(0));
      if (!script) throw new RpcError(RPC.addressOrKey, 'Invalid Pastel address');
      return sendToAddress(devnet, account, {
        script,
        patoshis: args.amount(1),
        comment: args.textOr(2, ''),
        to: args.textOr(3, ''),
        subtractFee: args.flag(4, false),
        change: args.textOr(5, 'original'),
      });
    },
  },
  sendmany: {
    usage: 'sendmany "" {"address":amount,...} ( minconf "comment" ["address",...] "change" )',
    run: (call) => many(call),
  },
};

function many({ devnet, account, args }: Call): Reply {
  args.between(2, 6);
  if (args.text(0) !== '') throw new RpcError(RPC.accounts, 'Accounts are not supported');
  const recipients = Object.entries(args.object(1)).map(([address, amount]) => {
    const script = scriptOf(address);
    if (!script) throw new RpcError(RPC.addressOrKey, `Invalid Pastel address: ${address}`);
    const patoshis = asAmount(amount);
    if (patoshis <= 0) throw new RpcError(RPC.type, 'Invalid amount for send');
    return { address, script, patoshis };
  });
  const feePayers = args.has(4) ? args.array(4).map(asText) : [];
  return sendMany(devnet, account, {
    recipients,
    minConfirmations: args.integerOr(2, 1),
    comment: args.textOr(3, ''),
    feePayers,
    change: args.count > 5 ? args.text(5) : 'original',
  });
}

function listUnspent({ devnet, account: { wallet }, args }: Call): Reply {
  args.between(0, 3);
  const [least, most] = [args.integerOr(0, 1), args.integerOr(1, 9_999_999)];
  const wanted = args.has(2) ? args.array(2).map(asText) : undefined;
  for (const [at, address] of (wanted ?? []).entries()) {
    if (!scriptOf(address)) throw new RpcError(RPC.addressOrKey, `Invalid Pastel address: ${address}`);
    if (wanted?.indexOf(address) !== at) throw new RpcError(RPC.parameter, `Invalid parameter, duplicated address: ${address}`);
  }
  const known = [...wallet.ownAddresses, ...wallet.watchedAddresses].filter((address) => wanted?.includes(address) ?? true);
  return wallet
    .coins(known, true)
    .filter(({ confirmations }) => confirmations >= least && confirmations <= most)
    .map((coin) => ({
      txid: coin.txid,
      vout: coin.vout,
      generated: devnet.state.ledger.find(coin.txid)?.position === 0,
      address: coin.address,
      account: wallet.labels.get(coin.address),
      scriptPubKey: coin.output.script.toString('hex'),
      ...amounts('amount', coin.output.patoshis),
      confirmations: coin.confirmations,
      spendable: wallet.isMine(coin.address),
    }));
}
