import { randomBytes } from './bytes.js';
import type { DevnetCore } from './core.js';
import { dataScripts } from './p2fms.js';
import { RPC, RpcError } from './rpc-error.js';
import type { Account } from './state.js';
import {
  CONTRACT_PRICE_PATOSHIS,
  PASTELID_PRICE_PATOSHIS,
  TICKET_ID,
  recordBytes,
  type ContractRecord,
  type PastelIdRecord,
  type TicketRecord,
} from './tickets.js';
import { outpointKey } from './transaction.js';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
const NULL_OUTPOINT = `${'0'.repeat(64)}-0`;

export interface NewContract {
  readonly data: string;
  readonly subType: string;
  readonly secondaryKey?: string;
  readonly fundingAddress?: string;
}

/** Writes a contract ticket; the node does not look into it. Gives the transaction and the primary key. */
export function registerContract(devnet: DevnetCore, account: Account, contract: NewContract): { txid: string; key: string } {
  const secondaryKey = contract.secondaryKey ?? '';
  if (contract.subType === '') throw invalid('contract', 'Contract sub type is not defined');
  if (contract.data === '') throw invalid('contract', 'Contract ticket data is empty');
  const { tickets } = devnet.state;
  const isSame = (record: TicketRecord): record is ContractRecord =>
    record.type === 'contract' && secondaryKey !== '' && record.secondaryKey === secondaryKey;
  const waiting = tickets.waiting().find(({ record }) => isSame(record));
  if (waiting) {
    throw invalid(
      'contract',
      `Found 'Contract' ticket transaction in mempool with the same secondary key '${secondaryKey}'. [txid=${waiting.txid}]`,
    );
  }
  const mined = tickets.contracts().find(({ record }) => isSame(record));
  if (mined) {
    const where = `[block=${mined.height}, txid=${mined.txid}]`;
    throw invalid(
      'contract',
      `This Contract is already registered in blockchain [key=${mined.record.key}; secondary key=${secondaryKey}] ${where}`,
    );
  }
  const key = base32(randomBytes(devnet.entropy, 32));
  const { data, subType } = contract;
  const record = { type: 'contract', contractTicket: data, key, secondaryKey, subType, timestamp: devnet.seconds } as const;
  return { txid: write(devnet, account, record, CONTRACT_PRICE_PATOSHIS, contract.fundingAddress), key };
}

/** Writes a person's PastelID to the chain. */
export function registerPastelId(
  devnet: DevnetCore,
  account: Account,
  pastelId: string,
  passphrase: string,
  address: string,
): Promise<string> {
  return registerId(devnet, account, { pastelId, passphrase, address, outpoint: '' });
}

/** Writes the PastelID of the account's supernode to the chain, with its outpoint. */
export function registerMasternodeId(
  devnet: DevnetCore,
  account: Account,
  pastelId: string,
  passphrase: string,
  address?: string,
): Promise<string> {
  const node = devnet.state.masternodes.of(account.user);
  if (!node) throw new RpcError(RPC.internal, 'This is not an active masternode. Only active MN can register its Pastel ID');
  return registerId(devnet, account, {
    pastelId,
    passphrase,
    ...(address !== undefined && { address }),
    outpoint: outpointKey(node.txid, node.vout),
    payee: node.payee,
  });
}

interface NewId {
  readonly pastelId: string;
  readonly passphrase: string;
  readonly address?: string;
  readonly outpoint: string;
  readonly payee?: string;
}
async function registerId(devnet: DevnetCore, account: Account, id: NewId): Promise<string> {
  const { pastelId } = id;
  if (!account.pastelIds.has(pastelId)) {
    throw new RpcError(
      RPC.misc,
      `Pastel ID [${pastelId}] should be generated and stored inside the local node. See "pastelid newkey"`,
    );
  }
  const { legRoastKey } = account.pastelIds.find(pastelId);
  const [address, timestamp] = [id.payee ?? id.address ?? '', devnet.seconds];
  const signed = `${pastelId}${legRoastKey}${address}${id.outpoint || NULL_OUTPOINT}${timestamp}`;
  const signature = Buffer.from(await account.pastelIds.sign(pastelId, id.passphrase, Buffer.from(signed)), 'base64').toString(
    'hex',
  );
  const { tickets } = devnet.state;
  if (
    [...tickets.pastelIds(), ...tickets.waiting()].some(
      ({ record }) => record.type === 'pastelid' && record.pastelId === pastelId,
    )
  ) {
    throw invalid('pastelid', `This Pastel ID is already registered in blockchain [${pastelId}]`);
  }
  const record: PastelIdRecord = {
    type: 'pastelid',
    pastelId,
    legRoastKey,
    address,
    outpoint: id.outpoint,
    timestamp,
    signature,
  };
  return write(devnet, account, record, PASTELID_PRICE_PATOSHIS, id.address);
}

/** The price is spread evenly over the data outputs, the remainder on the first; the change comes last. */
function write(devnet: DevnetCore, account: Account, record: TicketRecord, price: number, from?: string): string {
  const scripts = dataScripts(TICKET_ID[record.type], recordBytes(record));
  const each = Math.floor(price / scripts.length);
  const outputs = scripts.map((script, at) => ({ script, patoshis: each + (at === 0 ? price % scripts.length : 0) }));
  try {
    const tx = account.wallet.pay({ outputs, change: 'original', order: 'smallest first', ...(from !== undefined && { from }) });
    devnet.submit(tx, true);
    return tx.txid;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    throw new RpcError(RPC.misc, `Failed to create P2FMS from data provided. ${unpaid(account, price, from) ?? error.message}`);
  }
}
function unpaid(account: Account, price: number, from: string | undefined): string | undefined {
  const coins = account.wallet.spendable(0, from);
  const psl = price / 100_000;
  if (coins.length === 0 && from !== undefined)
    return `No unspent transaction found for address [${from}] - cannot send data to the blockchain!`;
  if (coins.reduce((total, coin) => total + coin.output.patoshis, 0) > price + 10_000) return undefined;
  const where = from === undefined ? '' : ` for address [${from}]`;
  return `Not enough coins in the unspent transactions${where} to cover the price ${psl} PSL. Cannot send data to the blockchain!`;
}

const invalid = (ticket: string, reason: string): RpcError => new RpcError(RPC.misc, `Ticket (${ticket}) is invalid. ${reason}`);

/** RFC 4648, lower case, padded: 56 characters for 32 bytes. */
function base32(bytes: Buffer): string {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(held >> (bits - 5)) & 31];
    held &= 0xff;
  }
  if (bits > 0) text += BASE32[(held << (5 - bits)) & 31];
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=');
}
