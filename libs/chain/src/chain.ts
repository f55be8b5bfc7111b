import type { Json } from '#protocol';

export interface Block {
  readonly height: number;
  readonly hash: string;
  readonly previousHash?: string;
  readonly merkleRoot: string;
  /** Unix seconds. */
  readonly time: number;
  readonly txids: readonly string[];
}

export interface TransactionInput {
  readonly txid: string;
  readonly vout: number;
  readonly address?: string;
  readonly patoshis?: number;
}
export interface TransactionOutput {
  readonly index: number;
  readonly patoshis: number;
  readonly address?: string;
}
export interface Transaction {
  readonly txid: string;
  readonly inputs: readonly TransactionInput[];
  readonly outputs: readonly TransactionOutput[];
  /** Absent while the transaction waits in the mempool. */
  readonly mined?: { readonly height: number; readonly blockHash: string };
  /** 0 in the mempool, 1 in the newest block. */
  readonly confirmations: number;
}

/** An output to an address, with the address index's word on who paid it. */
export interface AddressOutput {
  readonly txid: string;
  readonly index: number;
  readonly patoshis: number;
  /** -1 in the mempool. */ readonly height: number;
}

export interface ContractTicket {
  readonly txid: string;
  /** -1 until it is mined. */
  readonly height: number;
  readonly subType: string;
  readonly secondaryKey: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** The decoded JSON, numbers as they were written; the plain text where the data is not base64 of JSON. */
  readonly data: Json;
}

/** A PastelID on the chain; `outpoint` (`txid-n`) only for a supernode's. */
export interface IdentityTicket {
  readonly txid: string;
  readonly height: number;
  readonly pastelId: string;
  readonly address: string;
  readonly outpoint?: string;
}

/** A refusal by the node: it was reached, understood the call and said no. `code` is pasteld's (pasteld spec C.1). */
export class ChainRefusal extends Error {
  override readonly name = 'ChainRefusal';
  constructor(
    readonly code: number,
    message: string,
    readonly method: string,
  ) {
    super(message);
  }
}
/** The node cannot be reached, is warming up, or did not answer in time: nothing is known. */
export class ChainUnavailable extends Error {
  override readonly name = 'ChainUnavailable';
  constructor(
    readonly method: string,
    reason: string,
  ) {
    super(`pasteld did not answer ${method}: ${reason}`);
  }
}

/** What everybody can read from the chain, and the one thing that a supernode writes to it. Throws ChainRefusal or ChainUnavailable. */
export abstract class Chain {
  abstract height(): Promise<number>;
  abstract bestBlock(): Promise<Block>;
  /** Undefined above the tip, or for a hash that is not on the best chain. */
  abstract block(heightOrHash: number | string): Promise<Block | undefined>;
  /** Mined or in the mempool. */
  abstract transaction(txid: string): Promise<Transaction | undefined>;
  /** Mined transactions that pay or spend the address in blocks `fromHeight` to `toHeight`, in chain order, each once. */
  abstract transactionIdsOf(address: string, fromHeight: number, toHeight: number): Promise<string[]>;
  /** Unspent outputs to `address` of transactions with an input of `sender`, mempool included, each once. */
  abstract outputsSentBy(sender: string, address: string, minHeight: number): Promise<AddressOutput[]>;

  /** Mined or in the mempool. */
  abstract contractTicket(txid: string): Promise<ContractTicket | undefined>;
  /** Mined ones, in chain order. A malformed ticket is one with odd `data`, never an error. */
  abstract contractTickets(subType: string, minHeight: number): Promise<ContractTicket[]>;
  /** By secondary key; mined ones only. */
  abstract findContractTicket(secondaryKey: string): Promise<ContractTicket | undefined>;
  /** `data`: the plain JSON text; base64 is the implementation's business. NOT idempotent and never repeated by itself; costs 10 PSL. A key that is taken is refused. */
  abstract registerContractTicket(ticket: { data: string; subType: string; secondaryKey: string }): Promise<{ txid: string }>;
  /** `mn`: those of supernodes. */
  abstract identityTickets(which: 'all' | 'mn'): Promise<IdentityTicket[]>;
}
