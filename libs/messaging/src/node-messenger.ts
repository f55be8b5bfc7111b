/** What became of a message to one supernode. Sent means that pasteld took it: there is no receipt (messaging spec 4.2). */
export type Delivery =
  | { readonly pastelId: string; readonly sent: true }
  | { readonly pastelId: string; readonly sent: false; readonly reason: string };

/** `text` is the envelope as it went out. */
export interface Dispatched {
  readonly text: string;
  readonly signature: string;
  readonly deliveries: readonly Delivery[];
}

/**
 * Sends text, signed by this node, to other supernodes. Everything travels in clear: every node of the network can read it (4.2).
 * One receiver that fails does not stop the others. Throws Refusal('unavailable') where this node is no supernode,
 * Refusal('bad-request') for a text that is too large.
 */
export abstract class NodeMessenger {
  abstract sendTo(pastelId: string, type: string, text: string): Promise<Dispatched>;
  /** Each receiver once, this node left out. */
  abstract sendToMany(type: string, text: string, pastelIds: readonly string[]): Promise<Dispatched>;
  /** To every listed supernode but this one. */
  abstract broadcast(type: string, text: string): Promise<Dispatched>;
}
