import type { Block } from '../block.js';
import type { DevnetCore } from '../core.js';
import { PROTOCOL_VERSION } from '../masternodes.js';
import { RPC, RpcError } from '../rpc-error.js';
import { PythonNumber, type Json } from '#protocol';
import { asInteger, looseFlag } from './args.js';
import type { MethodTable } from './method.js';
import { DIFFICULTY, amounts, Lexeme, psl, type Reply } from './reply.js';
import { blockView, chainWork, scriptView, valuePools } from './views.js';

const UPGRADES = {
  '5ba81b19': 'Overwinter',
  '76b809bb': 'Sapling',
  '26ab2455': 'Cezanne',
  '017014e2': 'Monet',
  '5efaaeef': 'Vermeer',
};

/** By hash, or by height as a number or a text of at most nine characters. */
export function findBlock(devnet: DevnetCore, wanted: Json | undefined): { block: Block; stale: boolean } {
  const { ledger } = devnet.state;
  const text = wanted instanceof PythonNumber ? String(asInteger(wanted)) : wanted;
  if (typeof text !== 'string') throw new RpcError(RPC.misc, 'JSON value is not a string as expected');
  if (text.length <= 9) {
    if (!/^-?\d+$/.test(text)) throw new RpcError(RPC.parameter, `Invalid block height parameter [${text}]`);
    const block = ledger.blockAt(Number(text));
    if (!block) throw new RpcError(RPC.parameter, `Block height ${text} out of range [0..${ledger.height}]`);
    return { block, stale: false };
  }
  if (text.length !== 64)
    throw new RpcError(RPC.parameter, `Incorrect block hash parameter value size: ${text.length}, expected: 64. [${text}]`);
  const found = ledger.blockOf(text.toLowerCase());
  if (!found) throw new RpcError(RPC.addressOrKey, `Block ${text} not found in index`);
  return found;
}

function verbosity(value: Json | undefined): number {
  if (value === undefined || value === null) return 1;
  const level = value instanceof PythonNumber ? value.value : Number(looseFlag(value));
  if (![0, 1, 2].includes(level)) throw new RpcError(RPC.parameter, 'Verbosity must be in range from 0 to 2');
  return level;
}

export const chainMethods: MethodTable = {
  getblockcount: { usage: 'getblockcount', run: ({ devnet }) => devnet.state.ledger.height },
  getbestblockhash: { usage: 'getbestblockhash', run: ({ devnet }) => devnet.state.ledger.tipHash },
  getdifficulty: { usage: 'getdifficulty', run: () => DIFFICULTY },
  getblockhash: {
    usage: 'getblockhash height ( count )',
    run: ({ devnet, args }) => {
      args.between(1, 2);
      const { ledger } = devnet.state;
      const height = args.integer(0);
      const first = ledger.blockAt(height);
      if (!first) throw new RpcError(RPC.parameter, 'Block height out of range');
      if (!args.has(1)) return first.hash;
      const count = args.integer(1);
      if (count < -1) throw new RpcError(RPC.parameter, 'Block count out of range');
      const last = count === -1 ? ledger.height : Math.min(ledger.height, height + count - 1);
      return Array.from({ length: Math.max(0, last - height + 1) }, (_, i) => ({
        height: height + i,
        hash: ledger.blockAt(height + i)?.hash ?? '',
      }));
    },
  },
  getblock: {
    usage: 'getblock "hash|height" ( verbosity )',
    run: ({ devnet, args }) => {
      args.between(1, 2);
      const { block, stale } = findBlock(devnet, args.values[0]);
      const level = verbosity(args.values[1]);
      return level === 0 ? block.hex : blockView(devnet.state, block, stale, level === 2);
    },
  },
  getblockchaininfo: { usage: 'getblockchaininfo', run: ({ devnet }) => blockchainInfo(devnet) },
  getnetworkinfo: {
    usage: 'getnetworkinfo',
    run: ({ devnet }) => ({
      version: 2_021_002,
      subversion: '/Pastel Core:2.2.10/',
      protocolversion: PROTOCOL_VERSION,
      localservices: '0000000000000005',
      timeoffset: 0,
      connections: devnet.options.supernodes.length,
      networks: [{ name: 'ipv4', limited: false, reachable: true, proxy: '', proxy_randomize_credentials: false }],
      relayfee: psl(30),
      localaddresses: [],
      warnings: '',
    }),
  },
  mnsync: {
    usage: 'mnsync [status|next|reset]',
    run: ({ devnet, args }) => {
      if (args.count > 0 && !['status', 'next', 'reset'].includes(args.word(0))) throw args.help();
      if (args.count > 0 && args.word(0) !== 'status') return 'success';
      return {
        AssetID: 999,
        AssetName: 'Finished',
        AssetStartTime: devnet.state.ledger.start.time,
        Attempt: 0,
        IsBlockchainSynced: true,
        IsMasternodeListSynced: true,
        IsWinnersListSynced: true,
        IsSynced: true,
        IsFailed: false,
      };
    },
  },
  getrawmempool: { usage: 'getrawmempool ( verbose )', run: ({ devnet }) => devnet.state.mempool.all().map(({ tx }) => tx.txid) },
  getmempoolinfo: {
    usage: 'getmempoolinfo',
    run: ({ devnet }) => {
      const bytes = devnet.state.mempool.all().reduce((sum, { tx }) => sum + tx.size, 0);
      return { size: devnet.state.mempool.size, bytes, usage: bytes };
    },
  },
  gettxout: {
    usage: 'gettxout "txid" n ( includemempool )',
    run: ({ devnet, args }) => {
      args.between(2, 3);
      const [txid, n, withMempool] = [args.text(0), args.integer(1), args.strictFlag(2, true)];
      const { ledger, mempool } = devnet.state;
      const mined = ledger.find(txid);
      const output = mined?.tx.outputs[n] ?? (withMempool ? mempool.output(txid, n) : undefined);
      if (!output || ledger.spendOf(txid, n) || (withMempool && mempool.spendOf(txid, n))) return null;
      const confirmations = mined ? ledger.height - mined.block.height + 1 : 0;
      return {
        bestblock: ledger.tipHash,
        confirmations,
        ...amounts('value', output.patoshis),
        scriptPubKey: scriptView(output.script),
        version: 4,
        coinbase: mined?.position === 0,
      };
    },
  },
};

function blockchainInfo(devnet: DevnetCore): Reply {
  const { ledger } = devnet.state;
  const reached = { status: true, found: 1_000, required: 750, window: 1_000 };
  return {
    chain: 'devnet',
    blocks: ledger.height,
    headers: ledger.height,
    bestblockhash: ledger.tipHash,
    difficulty: DIFFICULTY,
    verificationprogress: new Lexeme('1.0'),
    chainwork: chainWork(ledger.height),
    pruned: false,
    commitments: 0,
    valuePools: valuePools(),
    softforks: ['bip34', 'bip66', 'bip65'].map((id, at) => ({ id, version: at + 2, enforce: reached, reject: reached })),
    upgrades: Object.fromEntries(
      Object.entries(UPGRADES).map(([id, name]) => [id, { name, activationheight: 1, status: 'active', info: '' }]),
    ),
    consensus: { chaintip: '5efaaeef', nextblock: '5efaaeef' },
  };
}
