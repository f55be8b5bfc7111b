/** One row of the supernode list (messaging spec 3.1). */
export interface Supernode {
  /** `txid-n` of the collateral. */
  readonly outpoint: string;
  readonly status: string;
  readonly protocolVersion: string;
  readonly pslAddress: string;
  /** Unix seconds. */
  readonly lastSeen: number;
  readonly activeSeconds: number;
  /** Unix seconds; 0 when never paid. */
  readonly lastPaid: number;
  readonly lastPaidBlock: number;
  readonly ipAddress: string;
  readonly port: number;
  readonly rank?: number;
  /** Masternode key, hex; messages are addressed to it. */
  readonly pubkey?: string;
  readonly extAddress?: string;
  readonly extP2P?: string;
  /** `extKey` of the list; absent for a node without an `mnid` ticket. */
  readonly pastelId?: string;
}

/** One item of pasteld's inbox. */
export interface MasternodeMessage {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Unix seconds, the sender's clock. */ readonly timestamp: number;
  readonly text: string;
}

/** The supernodes and the channel between them. */
export abstract class SupernodeNetwork {
  /** Nodes whose status is ENABLED or PRE_ENABLED. May be some minutes old. */
  abstract list(): Promise<Supernode[]>;
  /** This node's own row; undefined where pasteld is no supernode. */
  abstract self(): Promise<Supernode | undefined>;
  /** Where a supernode's HTTP API is, without a trailing slash. */
  abstract urlOf(supernode: Supernode): string;
  /** NOT idempotent: the same text twice within a second arrives once, later it arrives twice. */
  abstract send(pubkey: string, text: string): Promise<void>;
  /** The whole inbox: pasteld never prunes it. */
  abstract inbox(): Promise<MasternodeMessage[]>;
}
