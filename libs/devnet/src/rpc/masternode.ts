import { PROTOCOL_VERSION, type Masternode, type MasternodeRow } from '../masternodes.js';
import { keyPair, wif } from '../keys.js';
import { randomBytes } from '../bytes.js';
import { RPC, RpcError } from '../rpc-error.js';
import type { Args } from './args.js';
import type { Call, MethodTable } from './method.js';
import type { Reply, ReplyObject } from './reply.js';

const TOP_MAX = 10;
const TOP_NODES_MIN = 3;
const MODES = [
  'status',
  'full',
  'info',
  'rank',
  'pubkey',
  'extra',
  'addr',
  'payee',
  'protocol',
  'lastseen',
  'activeseconds',
  'lastpaidtime',
  'lastpaidblock',
] as const;
type Mode = (typeof MODES)[number];

const service = (node: Masternode): string => `${node.ip}:${node.port}`;
const isValid = ({ node }: MasternodeRow): boolean => node.status === 'ENABLED' || node.status === 'PRE_ENABLED';
const extra = (node: Masternode): ReplyObject => ({
  extAddress: node.extAddress,
  extP2P: node.extP2P,
  extKey: node.pastelId,
  extCfg: '',
  eligibleForMining: true,
});

const shown: Record<Mode, (row: MasternodeRow) => Reply> = {
  status: ({ node }) => node.status,
  full: (row) =>
    [
      row.node.status.padStart(18),
      PROTOCOL_VERSION,
      row.node.payee,
      row.lastSeen,
      String(row.activeSeconds).padStart(8),
      String(row.lastPaid).padStart(10),
      String(row.lastPaidBlock).padStart(6),
      service(row.node),
    ].join(' '),
  info: (row) =>
    [
      row.node.status.padStart(18),
      PROTOCOL_VERSION,
      row.node.payee,
      row.lastSeen,
      String(row.activeSeconds).padStart(8),
      service(row.node),
    ].join(' '),
  rank: ({ rank }) => rank,
  pubkey: ({ node }) => node.key.publicKey.toString('hex'),
  extra: ({ node }) => extra(node),
  addr: ({ node }) => service(node),
  payee: ({ node }) => node.payee,
  protocol: () => PROTOCOL_VERSION,
  lastseen: ({ lastSeen }) => lastSeen,
  activeseconds: ({ activeSeconds }) => activeSeconds,
  lastpaidtime: ({ lastPaid }) => lastPaid,
  lastpaidblock: ({ lastPaidBlock }) => lastPaidBlock,
};

/** `from`: where the mode stands among the parameters. */
function list({ devnet, args }: Call, from: number): Reply {
  if (args.count > from + 3) throw new RpcError(RPC.parameter, 'Too many parameters');
  const mode = args.count > from ? args.word(from) : 'status';
  const known = MODES.find((name) => name === mode);
  if (!known) throw args.help();
  const filter = args.textOr(from + 1, '');
  const rows = devnet.state.masternodes.ranked().map((row) => [row.outpoint, shown[known](row)] as const);
  return Object.fromEntries(
    rows.filter(
      ([outpoint, value]) => filter === '' || outpoint.includes(filter) || (typeof value === 'string' && value.includes(filter)),
    ),
  );
}

export const masternodeMethods: MethodTable = {
  masternodelist: { usage: `masternodelist ( "mode" "filter" )  modes: ${MODES.join(', ')}`, run: (call) => list(call, 0) },
  masternode: {
    usage: 'masternode "command" ...  commands: list, list-conf, count, status, top, genkey, outputs, message',
    run: (call) => {
      const command = families[call.args.word(0)];
      if (!command) throw call.args.help();
      return command(call);
    },
  },
};

const families: Record<string, (call: Call) => Reply> = {
  list: (call) => list(call, 1),
  count: ({ devnet, args }) => {
    const all = devnet.state.masternodes.ranked();
    const enabled = all.filter(isValid).length;
    const mode = args.count > 1 ? args.word(1) : '';
    if (mode === 'all') return `Total: ${all.length} (PS Compatible: ${all.length} / Enabled: ${enabled} / Qualify: ${enabled})`;
    return mode === '' ? all.length : enabled;
  },
  genkey: ({ devnet }) => wif(keyPair(randomBytes(devnet.entropy, 32), false)),
  outputs: ({ devnet, account }) => {
    const node = devnet.state.masternodes.of(account.user);
    return node ? { [node.txid]: String(node.vout) } : {};
  },
  status: ({ devnet, account }) => {
    const node = devnet.state.masternodes.of(account.user);
    if (!node) throw new RpcError(RPC.internal, 'This is not a masternode');
    const outpoint = `${node.txid}-${node.vout}`;
    return {
      outpoint,
      service: service(node),
      payee: node.payee,
      ...extra(node),
      alias: node.user,
      status: 'Masternode successfully started',
    };
  },
  top: ({ devnet, args }) => top(devnet, args),
  message: (call) => message(call),
};

function top(devnet: Call['devnet'], args: Args): Reply {
  const height = args.integerOr(1, devnet.state.ledger.height);
  if (!devnet.state.ledger.blockAt(height)) throw new RpcError(RPC.parameter, 'Block height out of range');
  const rows = devnet.state.masternodes.ranked(height).filter(isValid);
  if (rows.length < TOP_NODES_MIN) return [];
  return {
    [String(height)]: rows.slice(0, TOP_MAX).map((row, place) => ({
      rank: String(place + 1),
      'IP:port': service(row.node),
      protocol: PROTOCOL_VERSION,
      outpoint: row.outpoint,
      payee: row.node.payee,
      lastseen: row.lastSeen,
      activeseconds: row.activeSeconds,
      ...extra(row.node),
    })),
  };
}

function message({ devnet, account, args }: Call): Reply {
  const { masternodes } = devnet.state;
  switch (args.count > 1 ? args.word(1) : '') {
    case 'send':
      args.between(4, 4, RPC.parameter);
      devnet.record({ kind: 'message', message: masternodes.compose(account.user, args.text(2), args.text(3)) });
      return null;
    case 'list':
      return masternodes.inbox(account.user).map(({ id, message: { from, to, time, text } }) => {
        return { [id]: { From: from, To: to, Timestamp: time, Message: text } };
      });
    case 'sign':
      // As broken as in the node: it reaches for an argument that is not there.
      masternodes.inbox(account.user);
      throw new RpcError(RPC.misc, 'JSON value is not a string as expected');
    default:
      throw args.help();
  }
}
