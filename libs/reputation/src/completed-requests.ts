/** A request that was paid from a credit pack and has ended, so that its owner may judge who ran it. */
export interface CompletedRequest {
  readonly inferenceResponseId: string;
  readonly ownerPastelId: string;
  /** Registration txid of the pack that paid. */
  readonly packTxid: string;
  /** Hash of the result, as the supernode stated it; absent where it never reached this node. */
  readonly resultHash?: string;
}

/** What this node knows of requests: its own, and what other supernodes announced to it. The inference lib has it. */
export abstract class CompletedRequests {
  /** By the id of the response or of the request; undefined where the supernode ran no such request, or nobody paid for it. */
  abstract find(id: string, supernodePastelId: string): Promise<CompletedRequest | undefined>;
}
