import {
  Chain,
  ChainRefusal,
  ChainUnavailable,
  Identity,
  SupernodeNetwork,
  Wallet,
  type AddressOutput,
  type Block as ChainBlock,
  type ContractTicket,
  type IdentityTicket,
  type MasternodeMessage,
  type Supernode,
  type Transaction,
} from '#chain';
import { verifySync } from '#protocol';
import { outputsSentBy, txidsOf } from './address-queries.js';
import type { Block } from './block.js';
import type { DevnetCore } from './core.js';
import { addressOf, scriptOf } from './keys.js';
import { PROTOCOL_VERSION, type MasternodeRow } from './masternodes.js';
import { newPastelId } from './pastelids.js';
import { sendMany, sendToAddress } from './payments.js';
import { registerContract, registerPastelId } from './registration.js';
import { RPC, RpcError } from './rpc-error.js';
import type { Account } from './state.js';
import { contractData, type ContractRecord, type Ticket } from './tickets.js';
import { isCoinbase } from './transaction.js';

const CONFIRMATIONS_OF_LISTED_TICKETS = 5;

/** One credential's way in. Failures are those of the ports; planned faults count by the name of the RPC method. */
class Access {
  readonly account: Account;
  constructor(
    readonly devnet: DevnetCore,
    readonly user: string,
  ) {
    this.account = devnet.account(user);
  }

  async ask<T>(method: string, work: () => T | Promise<T>): Promise<T> {
    const fault = this.devnet.faults.take(method, this.user);
    if (fault?.kind === 'error') throw new ChainRefusal(fault.code, fault.message, method);
    if (fault && fault.kind !== 'lost-answer') throw new ChainUnavailable(method, fault.kind);
    try {
      const result = await work();
      if (fault) throw new ChainUnavailable(method, fault.kind);
      return result;
    } catch (error) {
      if (error instanceof RpcError) throw new ChainRefusal(error.code, error.message, method);
      throw error;
    }
  }
}

/** The chain, straight from the ledger. */
export class DevnetChain extends Chain {
  private readonly access: Access;
  constructor(devnet: DevnetCore, user: string) {
    super();
    this.access = new Access(devnet, user);
  }
  private get state(): DevnetCore['state'] {
    return this.access.devnet.state;
  }

  height(): Promise<number> {
    return this.access.ask('getblockcount', () => this.state.ledger.height);
  }
  bestBlock(): Promise<ChainBlock> {
    return this.access.ask('getbestblockhash', () => blockOf(this.state.ledger.tip));
  }
  block(heightOrHash: number | string): Promise<ChainBlock | undefined> {
    return this.access.ask('getblock', () => {
      const { ledger } = this.state;
      if (typeof heightOrHash === 'number') return optional(ledger.blockAt(heightOrHash), blockOf);
      const found = ledger.blockOf(heightOrHash);
      return found && !found.stale ? blockOf(found.block) : undefined;
    });
  }
  transaction(txid: string): Promise<Transaction | undefined> {
    return this.access.ask('getrawtransaction', () => this.transactionNow(txid));
  }
  transactionIdsOf(address: string, fromHeight: number, toHeight: number): Promise<string[]> {
    return this.access.ask('getaddresstxids', () => txidsOf(this.state, [address], fromHeight, toHeight));
  }
  outputsSentBy(sender: string, address: string, minHeight: number): Promise<AddressOutput[]> {
    return this.access.ask('getaddressutxosextra', () =>
      outputsSentBy(this.state, sender, address, minHeight, true).map(({ txid, vout, patoshis, height }) => {
        return { txid, index: vout, patoshis, height };
      }),
    );
  }

  contractTicket(txid: string): Promise<ContractTicket | undefined> {
    return this.access.ask('tickets get', () => {
      const ticket = this.state.tickets.get(txid);
      return ticket && isContract(ticket) ? contractOf(ticket) : undefined;
    });
  }
  contractTickets(subType: string, minHeight: number): Promise<ContractTicket[]> {
    return this.access.ask('tickets list contract', () => {
      const all = this.state.tickets.contracts();
      return all.filter(({ record, height }) => record.subType === subType && height >= minHeight).map(contractOf);
    });
  }
  findContractTicket(secondaryKey: string): Promise<ContractTicket | undefined> {
    return this.access.ask('tickets find contract', () => {
      return optional(
        this.state.tickets.contracts().find(({ record }) => record.secondaryKey === secondaryKey),
        contractOf,
      );
    });
  }
  registerContractTicket(ticket: { data: string; subType: string; secondaryKey: string }): Promise<{ txid: string }> {
    return this.access.ask('tickets register contract', () => {
      const data = Buffer.from(ticket.data).toString('base64');
      return { txid: registerContract(this.access.devnet, this.access.account, { ...ticket, data }).txid };
    });
  }
  identityTickets(which: 'all' | 'mn'): Promise<IdentityTicket[]> {
    return this.access.ask('tickets list id', () => {
      const { tickets } = this.state;
      const isListed = (ticket: Ticket): boolean => tickets.confirmations(ticket) >= CONFIRMATIONS_OF_LISTED_TICKETS;
      const all = tickets.pastelIds();
      const wanted = which === 'all' ? all : all.filter((ticket) => ticket.record.outpoint !== '' && isListed(ticket));
      return wanted.map(({ txid, height, record: { pastelId, address, outpoint } }) => {
        return { txid, height, pastelId, address, ...(outpoint !== '' && { outpoint }) };
      });
    });
  }

  private transactionNow(txid: string): Transaction | undefined {
    const { ledger, mempool } = this.state;
    const tx = this.state.find(txid);
    if (!tx) return undefined;
    const mined = ledger.find(txid);
    const inputs = isCoinbase(tx)
      ? []
      : tx.inputs.map((input) => {
          const spent = mempool.output(input.txid, input.vout);
          const address = spent && addressOf(spent.script);
          return {
            txid: input.txid,
            vout: input.vout,
            ...(spent && { patoshis: spent.patoshis }),
            ...(address !== undefined && { address }),
          };
        });
    const outputs = tx.outputs.map(({ patoshis, script }, index) => {
      const address = addressOf(script);
      return { index, patoshis, ...(address !== undefined && { address }) };
    });
    return {
      txid,
      inputs,
      outputs,
      confirmations: mined ? ledger.height - mined.block.height + 1 : 0,
      ...(mined && { mined: { height: mined.block.height, blockHash: mined.block.hash } }),
    };
  }
}

/** The PastelIDs of one credential. */
export class DevnetIdentity extends Identity {
  private readonly access: Access;
  constructor(devnet: DevnetCore, user: string) {
    super();
    this.access = new Access(devnet, user);
  }

  create(passphrase: string): Promise<string> {
    return this.access.ask('pastelid newkey', async () => {
      if (passphrase === '') throw new RpcError(RPC.misc, 'pastelid newkey passphrase for new key cannot be empty!');
      const key = await newPastelId(passphrase, this.access.devnet.entropy);
      this.access.devnet.record({ kind: 'pastelid', user: this.access.user, key });
      return key.pastelId;
    });
  }
  list(): Promise<string[]> {
    return this.access.ask('pastelid list', () => this.access.account.pastelIds.all().map(({ pastelId }) => pastelId));
  }
  sign(pastelId: string, passphrase: string, text: string): Promise<string> {
    return this.access.ask('pastelid sign', () => this.access.account.pastelIds.sign(pastelId, passphrase, Buffer.from(text)));
  }
  verify(pastelId: string, text: string, signature: string): Promise<boolean> {
    return this.access.ask('pastelid verify', () => verifySync(pastelId, text, signature));
  }
  register(pastelId: string, passphrase: string, address: string): Promise<{ txid: string }> {
    const { devnet, account } = this.access;
    return this.access.ask('tickets register id', async () => {
      return { txid: await registerPastelId(devnet, account, pastelId, passphrase, address) };
    });
  }
  isRegistered(pastelId: string): Promise<boolean> {
    return this.access.ask('tickets find id', () =>
      this.access.devnet.state.tickets.pastelIds().some(({ record }) => record.pastelId === pastelId),
    );
  }
}

/** The supernodes as one credential sees them. `urlOf`: where their HTTP APIs are; port 7123 of their addresses where absent. */
export class DevnetSupernodeNetwork extends SupernodeNetwork {
  private readonly access: Access;
  constructor(
    devnet: DevnetCore,
    user: string,
    private readonly urls: (supernode: Supernode) => string = ({ ipAddress }) => `http://${ipAddress}:7123`,
  ) {
    super();
    this.access = new Access(devnet, user);
  }

  list(): Promise<Supernode[]> {
    return this.access.ask('masternodelist', () => {
      const rows = this.access.devnet.state.masternodes.ranked();
      return rows.filter(({ node }) => node.status === 'ENABLED' || node.status === 'PRE_ENABLED').map(supernodeOf);
    });
  }
  async self(): Promise<Supernode | undefined> {
    const own = await this.access.ask('masternode status', () => this.access.devnet.state.masternodes.of(this.access.user));
    return own && (await this.list()).find(({ pastelId }) => pastelId === own.pastelId);
  }
  urlOf(supernode: Supernode): string {
    return this.urls(supernode);
  }
  send(pubkey: string, text: string): Promise<void> {
    return this.access.ask('masternode message send', () => {
      const { devnet, user } = this.access;
      devnet.record({ kind: 'message', message: devnet.state.masternodes.compose(user, pubkey, text) });
    });
  }
  inbox(): Promise<MasternodeMessage[]> {
    return this.access.ask('masternode message list', () =>
      this.access.devnet.state.masternodes.inbox(this.access.user).map(({ id, message: { from, to, time, text } }) => {
        return { id, from, to, timestamp: time, text };
      }),
    );
  }
}

/** The coins of one credential. */
export class DevnetWallet extends Wallet {
  private readonly access: Access;
  constructor(devnet: DevnetCore, user: string) {
    super();
    this.access = new Access(devnet, user);
  }

  newAddress(): Promise<string> {
    return this.access.ask('getnewaddress', () => this.access.devnet.newKey(this.access.user, '').address);
  }
  balance(): Promise<number> {
    return this.access.ask('getbalance', () => this.access.account.wallet.balance());
  }
  addressAmounts(): Promise<Map<string, number>> {
    return this.access.ask('listaddressamounts', () => {
      const { wallet } = this.access.account;
      return new Map([...wallet.amounts(wallet.ownAddresses)].filter(([, patoshis]) => patoshis > 0));
    });
  }
  sendToAddress(address: string, patoshis: number, comment = ''): Promise<string> {
    const { devnet, account } = this.access;
    return this.access.ask('sendtoaddress', () => sendToAddress(devnet, account, { ...recipient(address, patoshis), comment }));
  }
  sendMany(amounts: ReadonlyMap<string, number>, changeAddress: string, comment = ''): Promise<string> {
    const { devnet, account } = this.access;
    return this.access.ask('sendmany', () => {
      const recipients = [...amounts].map(([address, patoshis]) => recipient(address, patoshis));
      return sendMany(devnet, account, { recipients, minConfirmations: 0, comment, change: changeAddress });
    });
  }
}

function recipient(address: string, patoshis: number): { address: string; script: Buffer; patoshis: number } {
  const script = scriptOf(address);
  if (!script) throw new RpcError(RPC.addressOrKey, 'Invalid Pastel address');
  if (!Number.isSafeInteger(patoshis) || patoshis <= 0) throw new RpcError(RPC.type, 'Invalid amount for send');
  return { address, script, patoshis };
}

const optional = <T, R>(value: T | undefined, make: (value: T) => R): R | undefined =>
  value === undefined ? undefined : make(value);
const isContract = (ticket: Ticket): ticket is Ticket<ContractRecord> => ticket.record.type === 'contract';

const blockOf = ({ height, hash, previousHash, merkleRoot, time, txids }: Block): ChainBlock => ({
  height,
  hash,
  merkleRoot,
  time,
  txids,
  ...(previousHash !== undefined && { previousHash }),
});
const contractOf = ({ txid, height, record }: Ticket<ContractRecord>): ContractTicket => ({
  txid,
  height,
  subType: record.subType,
  secondaryKey: record.secondaryKey,
  timestamp: record.timestamp,
  data: contractData(record),
});
const supernodeOf = (row: MasternodeRow): Supernode => ({
  outpoint: row.outpoint,
  status: row.node.status,
  protocolVersion: String(PROTOCOL_VERSION),
  pslAddress: row.node.payee,
  lastSeen: row.lastSeen,
  activeSeconds: row.activeSeconds,
  lastPaid: row.lastPaid,
  lastPaidBlock: row.lastPaidBlock,
  ipAddress: row.node.ip,
  port: row.node.port,
  rank: row.rank,
  pubkey: row.node.key.publicKey.toString('hex'),
  extAddress: row.node.extAddress,
  extP2P: row.node.extP2P,
  pastelId: row.node.pastelId,
});
