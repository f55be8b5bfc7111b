import type { Clock } from '#protocol';
import { AddressIndex } from './address-index.js';
import { makeBlock } from './block.js';
import { keyPair } from './keys.js';
import { Ledger } from './ledger.js';
import { Masternodes, type BusMessage } from './masternodes.js';
import { Mempool } from './mempool.js';
import { PastelIdStore, type SealedPastelId } from './pastelids.js';
import { TicketIndex } from './tickets.js';
import { isCoinbase, outpointKey, parseTx, type Tx } from './transaction.js';
import { Wallet, type Note } from './wallet.js';

/** What a supernode is, apart from where it listens, which may change between two runs. */
export interface MasternodeRegistration {
  readonly user: string;
  readonly txid: string;
  readonly vout: number;
  readonly secret: string;
  readonly payee: string;
  readonly pastelId: string;
}
export interface MasternodePlace {
  readonly ip: string;
  readonly port: number;
  readonly extAddress: string;
  readonly extP2P: string;
}

/** Every change of the devnet; the data file is a list of them. Times are Unix seconds, bytes are hex. */
export type DevnetEvent =
  | { readonly kind: 'start'; readonly format: 1; readonly height: number; readonly time: number }
  | { readonly kind: 'account'; readonly user: string }
  | {
      readonly kind: 'key';
      readonly user: string;
      readonly secret: string;
      readonly compressed: boolean;
      readonly label?: string;
    }
  | { readonly kind: 'watch'; readonly user: string; readonly address: string; readonly label: string }
  | ({ readonly kind: 'note'; readonly user: string; readonly txid: string } & Note)
  | { readonly kind: 'pastelid'; readonly user: string; readonly key: SealedPastelId }
  | { readonly kind: 'masternode'; readonly node: MasternodeRegistration }
  | { readonly kind: 'transaction'; readonly hex: string; readonly time: number }
  | { readonly kind: 'drop'; readonly txid: string }
  /** `transactions`: ids of waiting ones, the bytes of others. `hash` is checked when the file is read. */
  | {
      readonly kind: 'block';
      readonly hash: string;
      readonly time: number;
      readonly nonce: string;
      readonly transactions: readonly string[];
    }
  /** `drop`: transactions that do not come back to the mempool. */
  | { readonly kind: 'disconnect'; readonly count: number; readonly drop: readonly string[]; readonly time: number }
  | { readonly kind: 'message'; readonly message: BusMessage };

export interface Account {
  readonly user: string;
  readonly wallet: Wallet;
  readonly pastelIds: PastelIdStore;
}

/** Everything that a restart must bring back; changes through {@link apply} alone. */
export class DevnetState {
  readonly ledger: Ledger;
  readonly mempool: Mempool;
  readonly index: AddressIndex;
  readonly tickets: TicketIndex;
  readonly masternodes: Masternodes;
  readonly accounts = new Map<string, Account>();
  /** Collaterals. */
  readonly locked = new Set<string>();

  constructor(
    start: { readonly height: number; readonly time: number },
    clock: Clock,
    private readonly places: ReadonlyMap<string, MasternodePlace>,
  ) {
    this.ledger = new Ledger({ height: start.height, time: start.time });
    this.mempool = new Mempool(this.ledger);
    this.index = new AddressIndex(this.ledger);
    this.tickets = new TicketIndex(this.ledger, this.mempool);
    this.masternodes = new Masternodes(this.ledger, clock);
    this.ledger.watch(this.index);
    this.ledger.watch(this.tickets);
  }

  account(user: string): Account {
    const account = this.accounts.get(user);
    if (!account) throw new Error(`The devnet has no account ${user}`);
    return account;
  }
  /** A transaction on the chain or in the mempool. */
  find(txid: string): Tx | undefined {
    return this.ledger.find(txid)?.tx ?? this.mempool.find(txid)?.tx;
  }

  apply(event: DevnetEvent): void {
    switch (event.kind) {
      case 'start':
        throw new Error('The devnet has started already');
      case 'account':
        this.accounts.set(event.user, {
          user: event.user,
          wallet: new Wallet(this),
          pastelIds: new PastelIdStore(`${event.user}/pastelkeys`),
        });
        return;
      case 'key':
        return this.account(event.user).wallet.addKey(keyPair(Buffer.from(event.secret, 'hex'), event.compressed), event.label);
      case 'watch':
        return this.account(event.user).wallet.addWatched(event.address, event.label);
      case 'note':
        this.account(event.user).wallet.notes.set(event.txid, { comment: event.comment, to: event.to });
        return;
      case 'pastelid':
        return this.account(event.user).pastelIds.put(event.key);
      case 'masternode':
        return this.addMasternode(event.node);
      case 'transaction':
        return this.mempool.add(parseTx(event.hex), event.time);
      case 'drop':
        this.mempool.remove(event.txid);
        return;
      case 'block':
        return this.connect(event);
      case 'disconnect':
        return this.disconnect(event);
      case 'message':
        return this.masternodes.deliver(event.message);
    }
  }

  private addMasternode(node: MasternodeRegistration): void {
    const place = this.places.get(node.user);
    if (!place)
      throw new Error(`The data file has a supernode ${node.user} that is not configured; start with an empty data file`);
    this.locked.add(outpointKey(node.txid, node.vout));
    this.masternodes.add({ ...node, ...place, key: keyPair(Buffer.from(node.secret, 'hex'), false), status: 'ENABLED' });
  }
  private connect(event: DevnetEvent & { kind: 'block' }): void {
    const txs = event.transactions.map((item) => {
      const tx = item.length === 64 ? this.mempool.find(item)?.tx : parseTx(item);
      if (!tx) throw new Error(`Block ${event.hash} holds ${item}, which is not known`);
      return tx;
    });
    const block = makeBlock({
      height: this.ledger.height + 1,
      previousHash: this.ledger.tipHash,
      time: event.time,
      nonce: event.nonce,
      txs,
    });
    if (block.hash !== event.hash) throw new Error(`Block ${block.height} does not have the hash ${event.hash}`);
    this.ledger.connect(block);
    this.mempool.settle(block);
  }
  private disconnect(event: DevnetEvent & { kind: 'disconnect' }): void {
    const returned: Tx[] = [];
    for (let i = 0; i < event.count; i++) {
      const block = this.ledger.disconnect();
      returned.unshift(...block.txs.filter((tx) => !isCoinbase(tx) && !event.drop.includes(tx.txid)));
    }
    this.mempool.restore(returned, event.time);
  }
}
