import { PythonNumber, networks, type Json, type JsonObject } from '#protocol';
import type { IndexedOutput } from '../address-index.js';
import { inputsFrom, outputsSentBy, txidsOf } from '../address-queries.js';
import { scriptOf } from '../keys.js';
import { RPC, RpcError } from '../rpc-error.js';
import type { DevnetState } from '../state.js';
import { asInteger, looseFlag, type Args } from './args.js';
import { findBlock } from './chain.js';
import type { Call, MethodTable } from './method.js';
import { amounts, type Reply } from './reply.js';

interface Query {
  readonly addresses: string[];
  readonly options: JsonObject;
}

function queryOf(args: Args): Query {
  args.between(1, 1);
  const given = args.values[0];
  const options = typeof given === 'string' ? ({ addresses: [given] } satisfies JsonObject) : args.object(0);
  const addresses = options['addresses'];
  if (!Array.isArray(addresses)) throw new RpcError(RPC.addressOrKey, 'Addresses is expected to be an array');
  return { options, addresses: addresses.map(validAddress) };
}
function validAddress(address: Json): string {
  if (typeof address !== 'string' || !scriptOf(address)) throw new RpcError(RPC.addressOrKey, 'Invalid address');
  return address;
}
const flag = (value: Json | undefined): boolean => value !== undefined && value !== null && looseFlag(value);

/** Both ends, or neither. */
function range(state: DevnetState, options: JsonObject): { from: number; to: number } {
  const [start, end] = [options['start'], options['end']];
  if (start === undefined && end === undefined) return { from: 0, to: state.ledger.height };
  if (start === undefined || end === undefined)
    throw new RpcError(RPC.addressOrKey, 'Start and end are expected to be both given');
  const [from, to] = [asInteger(start), asInteger(end)];
  if (from <= 0 || to <= 0) throw new RpcError(RPC.addressOrKey, 'Start and end are expected to be greater than zero');
  if (to < from) throw new RpcError(RPC.addressOrKey, 'End value is expected to be greater than start');
  return { from, to };
}

const outputView = (state: DevnetState, output: IndexedOutput, withScript = true): Record<string, Reply> => ({
  address: output.address,
  txid: output.txid,
  outputIndex: output.vout,
  ...(withScript && { script: state.ledger.output(output.txid, output.vout)?.script.toString('hex') ?? '' }),
  patoshis: output.patoshis,
  height: output.height,
});

export const addressIndexMethods: MethodTable = {
  getaddressutxosextra: {
    usage: 'getaddressutxosextra {"addresses":[...],"simple":bool,"minHeight":n,"sender":"address","mempool":bool}',
    run: (call) => utxosExtra(call),
  },
  getaddressutxos: {
    usage: 'getaddressutxos {"addresses":[...],"chainInfo":bool}',
    run: ({ devnet: { state }, args }) => {
      const { addresses, options } = queryOf(args);
      const unspent = addresses.flatMap((address) => state.index.unspent(address)).sort((a, b) => a.height - b.height);
      const spending = (output: IndexedOutput): boolean => state.mempool.spendOf(output.txid, output.vout) !== undefined;
      const status = options['status'] ?? 'all';
      if (status !== 'all' && status !== 'unspent' && status !== 'spending')
        throw new RpcError(RPC.addressOrKey, 'Invalid status');
      const utxos = unspent
        .filter((output) => status === 'all' || spending(output) === (status === 'spending'))
        .map((output) => outputView(state, output));
      return flag(options['chainInfo']) ? { utxos, hash: state.ledger.tipHash, height: state.ledger.height } : utxos;
    },
  },
  getaddresstxids: {
    usage: 'getaddresstxids {"addresses":[...],"start":n,"end":n}',
    run: ({ devnet: { state }, args }) => {
      const { addresses, options } = queryOf(args);
      const { from, to } = range(state, options);
      return txidsOf(state, addresses, from, to);
    },
  },
  getaddressbalance: {
    usage: 'getaddressbalance {"addresses":[...],"includeEmpty":bool}',
    run: ({ devnet: { state }, args }) => {
      const { addresses, options } = queryOf(args);
      const { from, to } = range(state, options);
      const rows = addresses.map((address) => {
        const outputs = state.index.outputs(address).filter(({ height }) => height >= from && height <= to);
        const spent = (output: IndexedOutput): boolean =>
          (state.ledger.spendOf(output.txid, output.vout)?.height ?? Infinity) <= to;
        const total = (some: readonly IndexedOutput[]): number => some.reduce((sum, output) => sum + output.patoshis, 0);
        return { address, received: total(outputs), balance: total(outputs.filter((output) => !spent(output))) };
      });
      const shown = rows.filter(({ balance }) => balance > 0 || flag(options['includeEmpty']));
      return {
        addresses: shown.map(({ address, balance }) => ({ address, balance })),
        balance: rows.reduce((sum, row) => sum + row.balance, 0),
        received: rows.reduce((sum, row) => sum + row.received, 0),
      };
    },
  },
  scanburntransactions: {
    usage: 'scanburntransactions "from_address" ( "hash|height" "burn_address" )',
    run: (call) => scanBurns(call),
  },
};

function utxosExtra({ devnet: { state }, args }: Call): Reply {
  const { addresses, options } = queryOf(args);
  const simple = flag(options['simple']);
  const minHeight = options['minHeight'] instanceof PythonNumber ? asInteger(options['minHeight']) : 0;
  const sender = options['sender'];
  if (sender === undefined || sender === null) {
    const unspent = addresses.flatMap((address) => state.index.unspent(address)).filter(({ height }) => height >= minHeight);
    return unspent
      .sort((a, b) => a.height - b.height)
      .map((output) => ({ ...outputView(state, output, !simple), ...(!simple && { senders: inputsFrom(state, output.txid) }) }));
  }
  if (typeof sender !== 'string' || !scriptOf(sender)) throw new RpcError(RPC.addressOrKey, 'Invalid Pastel send address');
  const found = addresses.flatMap((address) => outputsSentBy(state, sender, address, minHeight, flag(options['mempool'])));
  return found.flatMap((output) => {
    const senders = inputsFrom(state, output.txid, sender);
    const view = { ...outputView(state, output, false), senderAddress: sender, ...(!simple && { senders }) };
    // The node lists a waiting transaction once for each input that matches.
    return output.height >= 0 ? [view] : senders.map(() => view);
  });
}

function scanBurns({ devnet, args }: Call): Reply {
  args.between(1, 3);
  const { state } = devnet;
  const sender = args.text(0);
  if (!scriptOf(sender)) throw new RpcError(RPC.addressOrKey, 'Invalid Pastel tracking transparent address');
  const since = args.has(1) ? findBlock(devnet, args.values[1]).block.height : 0;
  const burn = args.textOr(2, networks.devnet.burnAddress);
  if (!scriptOf(burn)) throw new RpcError(RPC.addressOrKey, 'Invalid Pastel burn address');
  const all = [
    ...state.index.outputs(burn).filter(({ height }) => height >= since),
    ...outputsSentBy(state, sender, burn, Infinity, true),
  ];
  return all.flatMap((output) => {
    const senders = inputsFrom(state, output.txid, sender);
    if (senders.length === 0) return [];
    const mined = state.ledger.find(output.txid);
    return [
      {
        txid: output.txid,
        blockhash: mined?.block.hash ?? 'NA',
        blockindex: mined?.block.height ?? 0,
        confirmations: mined ? state.ledger.height - mined.block.height + 1 : 0,
        timestamp: mined?.block.time ?? 0,
        outputIndex: output.vout,
        ...amounts('amount', output.patoshis),
        vin: senders.map(({ outputIndex, patoshis }) => ({ txin: outputIndex, ...amounts('amount', patoshis) })),
      },
    ];
  });
}
