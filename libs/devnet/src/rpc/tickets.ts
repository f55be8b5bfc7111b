import { PythonNumber, byCodePoint, type Json } from '#protocol';
import { registerContract, registerMasternodeId, registerPastelId } from '../registration.js';
import { RPC, RpcError } from '../rpc-error.js';
import { contractData, recordBytes, type ContractRecord, type PastelIdRecord, type Ticket } from '../tickets.js';
import { looseFlag } from './args.js';
import type { Call, MethodTable } from './method.js';
import type { Reply, ReplyObject } from './reply.js';

const NOT_FOUND = 'Key is not found';
/** Before then a PastelID ticket does not count for the filters of `tickets list id`. */
const CONFIRMATIONS_MIN = 5;

export const ticketMethods: MethodTable = {
  tickets: {
    usage: 'tickets "command" ...  commands: register, get, find, list',
    run: (call) => {
      const { args } = call;
      switch (args.word(0)) {
        case 'register':
          return register(call);
        case 'get':
          return get(call);
        case 'find':
          return find(call);
        case 'list':
          return list(call);
        default:
          throw args.help();
      }
    },
  },
};

async function register({ devnet, account, args }: Call): Promise<Reply> {
  switch (args.count > 1 ? args.word(1) : '') {
    case 'id': {
      args.between(5, 5, RPC.parameter);
      const [pastelId, passphrase, address] = [args.text(2), args.text(3), args.text(4)];
      return { txid: await registerPastelId(devnet, account, pastelId, passphrase, address), key: pastelId };
    }
    case 'mnid': {
      args.between(4, 5, RPC.parameter);
      const pastelId = args.text(2);
      const address = args.has(4) ? args.text(4) : undefined;
      return { txid: await registerMasternodeId(devnet, account, pastelId, args.text(3), address), key: pastelId };
    }
    case 'contract': {
      args.between(4, 6, RPC.parameter);
      const { txid, key } = registerContract(devnet, account, {
        data: args.text(2),
        subType: args.text(3),
        ...(args.has(4) && { secondaryKey: args.looseText(4) }),
        ...(args.has(5) && { fundingAddress: args.text(5) }),
      });
      return { txid, key };
    }
    default:
      throw args.help();
  }
}

function get({ devnet: { state }, args }: Call): Reply {
  args.between(2, 3, RPC.parameter);
  const txid = args.text(1);
  if (txid.length !== 64)
    throw new RpcError(RPC.parameter, `Incorrect 'txid' parameter value size: ${txid.length}, expected: 64. [${txid}]`);
  const decode = args.has(2) && looseFlag(args.values[2] as Json);
  if (!state.find(txid.toLowerCase())) throw new RpcError(RPC.misc, 'No information available about transaction');
  const ticket = state.tickets.get(txid.toLowerCase());
  if (!ticket)
    throw new RpcError(RPC.misc, 'Failed to parse P2FMS transaction from data provided. No data multisigs found in transaction');
  return ticketView(ticket, { decode, wholeInfo: true });
}

function find({ devnet: { state }, args }: Call): Reply {
  args.between(3, 3, RPC.parameter);
  const key = args.looseText(2);
  const plain = { decode: false, wholeInfo: false };
  switch (args.word(1)) {
    case 'contract': {
      const all = state.tickets.contracts();
      const one =
        all.find(({ record }) => record.key === key) ?? all.find(({ record }) => record.secondaryKey === key && key !== '');
      if (one) return ticketView(one, plain);
      const ofType = all.filter(({ record }) => record.subType === key);
      return ofType.length > 0 ? ofType.map((ticket) => ticketView(ticket, plain)) : NOT_FOUND;
    }
    case 'id': {
      const one = state.tickets
        .pastelIds()
        .find(({ record }) => [record.pastelId, record.outpoint, record.address].includes(key) && key !== '');
      return one ? ticketView(one, plain) : NOT_FOUND;
    }
    default:
      throw args.help();
  }
}

function list(call: Call): Reply {
  const { args } = call;
  args.between(2, 4, RPC.parameter);
  const minHeight = args.integerOr(3, 0);
  switch (args.word(1)) {
    case 'contract': {
      const subType = args.textOr(2, 'all');
      const all = call.devnet.state.tickets.contracts().filter(({ height }) => height >= minHeight);
      const ofType = subType === 'all' ? all : all.filter(({ record }) => record.subType === subType);
      return ofType.map((ticket) => ticketView(ticket, { decode: subType !== 'all', wholeInfo: false }));
    }
    case 'id':
      return listIds(call, args.textOr(2, 'all'), minHeight);
    default:
      throw args.help();
  }
}
function listIds({ devnet: { state }, account, args }: Call, filter: string, minHeight: number): Reply {
  const fits: Record<string, (record: PastelIdRecord) => boolean> = {
    all: () => true,
    mn: ({ outpoint }) => outpoint !== '',
    personal: ({ outpoint }) => outpoint === '',
    mine: ({ pastelId }) => account.pastelIds.has(pastelId),
  };
  const wanted = fits[filter];
  if (!wanted) throw args.help();
  return state.tickets
    .pastelIds()
    .filter(({ record, height }) => wanted(record) && height >= minHeight)
    .filter((ticket) => filter === 'all' || state.tickets.confirmations(ticket) >= CONFIRMATIONS_MIN)
    .map((ticket) => ticketView(ticket, { decode: false, wholeInfo: false }));
}

interface Shown {
  readonly decode: boolean;
  /** Only `tickets get` reads the transaction itself; the others know no sizes but that of the record. */
  readonly wholeInfo: boolean;
}
function ticketView(ticket: Ticket, { decode, wholeInfo }: Shown): ReplyObject {
  const { record } = ticket;
  return {
    height: ticket.height,
    ticket: record.type === 'contract' ? contractView(record, decode) : idView(record),
    tx_info: wholeInfo
      ? wholeInfoOf(ticket)
      : {
          is_compressed: false,
          multisig_outputs_count: 0,
          multisig_tx_total_fee: 0,
          uncompressed_size: recordBytes(record).length,
        },
    txid: ticket.txid,
  };
}
function wholeInfoOf({ data }: Ticket): ReplyObject {
  const compressed = data.compressedSize;
  return {
    ...(compressed !== undefined && {
      compressed_size: compressed,
      compression_ratio: (compressed / data.record.length).toFixed(4),
    }),
    is_compressed: compressed !== undefined,
    multisig_outputs_count: data.outputs,
    multisig_tx_total_fee: data.patoshis,
    uncompressed_size: data.record.length,
  };
}
const contractView = (record: ContractRecord, decode: boolean): ReplyObject => ({
  contract_ticket: decode ? sorted(contractData(record)) : record.contractTicket,
  key: record.key,
  secondary_key: record.secondaryKey,
  sub_type: record.subType,
  timestamp: record.timestamp,
  type: 'contract',
  version: 1,
});
const idView = (record: PastelIdRecord): ReplyObject => ({
  address: record.address,
  id_type: record.outpoint === '' ? 'personal' : 'masternode',
  outpoint: record.outpoint === '' ? undefined : record.outpoint,
  pastelID: record.pastelId,
  pq_key: record.legRoastKey,
  signature: record.signature,
  timeStamp: String(record.timestamp),
  type: 'pastelid',
  version: 1,
});

/** The node's JSON library sorts the members of what it decodes. */
function sorted(value: Json): Reply {
  if (value === null || typeof value !== 'object' || value instanceof PythonNumber) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.keys(value)
      .sort(byCodePoint)
      .map((key) => [key, sorted(value[key] as Json)]),
  );
}
