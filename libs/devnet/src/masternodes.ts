import type { Clock } from '#protocol';
import { compactSize, hash256, i64, innerHash, outpointBytes, shownHash } from './bytes.js';
import type { KeyPair } from './keys.js';
import type { Ledger } from './ledger.js';
import { RPC, RpcError } from './rpc-error.js';
import { outpointKey } from './transaction.js';

export type MasternodeStatus =
  | 'PRE_ENABLED'
  | 'ENABLED'
  | 'EXPIRED'
  | 'OUTPOINT_SPENT'
  | 'UPDATE_REQUIRED'
  | 'WATCHDOG_EXPIRED'
  | 'NEW_START_REQUIRED'
  | 'POSE_BAN';

export interface Masternode {
  readonly user: string;
  readonly txid: string;
  readonly vout: number;
  /** Uncompressed, so that the public key has 130 hex characters. */
  readonly key: KeyPair;
  /** Of the collateral. */
  readonly payee: string;
  readonly ip: string;
  readonly port: number;
  readonly extAddress: string;
  readonly extP2P: string;
  readonly pastelId: string;
  status: MasternodeStatus;
}
export interface BusMessage {
  readonly from: string;
  readonly to: string;
  /** Unix seconds. */
  readonly time: number;
  readonly text: string;
}
export interface MasternodeRow {
  readonly node: Masternode;
  readonly outpoint: string;
  readonly rank: number;
  readonly lastSeen: number;
  readonly activeSeconds: number;
  readonly lastPaid: number;
  readonly lastPaidBlock: number;
}

export const PROTOCOL_VERSION = 170_012;
const INBOX_MAX = 1_000_000;
const NOT_A_MASTERNODE = 'This is not a masternode - only Masternode can send/sign messages';

/** The registered supernodes and the channel between them. Inboxes are never pruned, as pasteld's are not. */
export class Masternodes {
  private readonly nodes: Masternode[] = [];
  private readonly inboxes = new Map<string, Map<string, BusMessage>>();

  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
  ) {}

  add(node: Masternode): void {
    this.nodes.push(node);
  }
  all(): readonly Masternode[] {
    return this.nodes;
  }
  of(user: string): Masternode | undefined {
    return this.nodes.find((node) => node.user === user);
  }

  /** Best rank first. */
  ranked(height = this.ledger.height): MasternodeRow[] {
    const basis = Buffer.concat([
      innerHash(this.ledger.blockAt(this.ledger.start.height)?.hash ?? ''),
      innerHash(this.ledger.blockAt(height)?.hash ?? ''),
    ]);
    const score = (node: Masternode): string => shownHash(hash256(Buffer.concat([outpointBytes(node.txid, node.vout), basis])));
    const scored = this.nodes.map((node) => ({ node, score: score(node) })).sort((a, b) => (a.score < b.score ? 1 : -1));
    const now = Math.floor(this.clock.now().getTime() / 1000);
    return scored.map(({ node }, place) => {
      const since = this.ledger.find(node.txid)?.block ?? this.ledger.tip;
      return {
        node,
        outpoint: outpointKey(node.txid, node.vout),
        rank: place + 1,
        lastSeen: now,
        activeSeconds: Math.max(0, now - since.time),
        lastPaid: since.time,
        lastPaidBlock: since.height,
      };
    });
  }

  /** What `user` would send to the holder of `publicKey`, now. */
  compose(user: string, publicKey: string, text: string): BusMessage {
    const from = this.of(user);
    if (!from) throw new RpcError(RPC.internal, NOT_A_MASTERNODE);
    if (!/^(?:[0-9a-f]{2})+$/i.test(publicKey)) throw new RpcError(RPC.internal, 'Invalid Masternode Public Key');
    const to = this.nodes.find((node) => node.key.publicKey.toString('hex') === publicKey.toLowerCase());
    if (!to) throw new RpcError(RPC.misc, 'Unknown Masternode');
    const time = Math.floor(this.clock.now().getTime() / 1000);
    return { from: outpointKey(from.txid, from.vout), to: outpointKey(to.txid, to.vout), time, text };
  }
  /** The same text twice in one second is one message; a message to oneself does not come back. */
  deliver(message: BusMessage): void {
    if (message.from === message.to) return;
    let inbox = this.inboxes.get(message.to);
    if (!inbox) this.inboxes.set(message.to, (inbox = new Map<string, BusMessage>()));
    if (inbox.size >= INBOX_MAX) throw new RpcError(RPC.internal, 'The inbox is full');
    inbox.set(messageId(message), message);
  }
  /** Ordered by id, that is by chance. */
  inbox(user: string): { readonly id: string; readonly message: BusMessage }[] {
    const node = this.of(user);
    if (!node) throw new RpcError(RPC.internal, NOT_A_MASTERNODE);
    const inbox: ReadonlyMap<string, BusMessage> =
      this.inboxes.get(outpointKey(node.txid, node.vout)) ?? new Map<string, BusMessage>();
    return [...inbox].map(([id, message]) => ({ id, message })).sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

function messageId(message: BusMessage): string {
  const side = (outpoint: string): Buffer => {
    const [txid = '', vout = '0'] = outpoint.split('-');
    return outpointBytes(txid, Number(vout));
  };
  const text = Buffer.from(message.text);
  return shownHash(
    hash256(Buffer.concat([side(message.from), side(message.to), i64(message.time), compactSize(text.length), text])),
  );
}
