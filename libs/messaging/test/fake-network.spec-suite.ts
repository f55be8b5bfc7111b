import { createHash } from 'node:crypto';
import { SupernodeNetwork, type MasternodeMessage, type Supernode } from '#chain';
import { identityFromSeed, sha3, type Signing } from '#protocol';

export interface FakeNode {
  readonly signing: Signing;
  readonly supernode: Supernode;
  readonly inbox: MasternodeMessage[];
  readonly network: FakeNetwork;
}

const seedOf = (name: string): Buffer => Buffer.concat([createHash('sha512').update(name).digest()], 57);
export const identityOf = (name: string): Signing => identityFromSeed(seedOf(name));

/** pasteld's message bus as it behaves: per-node inboxes that are never pruned, one message per hash, none to oneself (messaging spec 4.2). */
export class FakeBus {
  readonly nodes: FakeNode[];
  /** Receivers that pasteld cannot reach, by key. */
  readonly unreachable = new Set<string>();
  /** Outpoints that have left the list. */
  readonly unlisted = new Set<string>();
  constructor(
    count: number,
    readonly now: () => Date,
  ) {
    this.nodes = Array.from({ length: count }, (_, index) => {
      const signing = identityOf(`supernode ${index}`);
      const supernode: Supernode = {
        outpoint: `${sha3(`collateral ${index}`)}-${index}`,
        status: 'ENABLED',
        protocolVersion: '170010',
        pslAddress: `tP${index}`,
        lastSeen: 0,
        activeSeconds: 0,
        lastPaid: 0,
        lastPaidBlock: 0,
        ipAddress: `127.0.0.${index + 1}`,
        port: 29933,
        rank: index + 1,
        pubkey: `04${sha3(`key ${index}`)}`,
        pastelId: signing.pastelId,
      };
      return { signing, supernode, inbox: [], network: new FakeNetwork(this, index) };
    });
  }

  put(from: number, to: number, text: string, seconds = Math.floor(this.now().getTime() / 1000)): MasternodeMessage {
    const [sender, receiver] = [this.nodes[from]!.supernode.outpoint, this.nodes[to]!.supernode.outpoint];
    const item = { id: sha3(`${sender}${receiver}${seconds}${text}`), from: sender, to: receiver, timestamp: seconds, text };
    if (from !== to && !this.nodes[to]!.inbox.some(({ id }) => id === item.id)) this.nodes[to]!.inbox.push(item);
    return item;
  }
}

class FakeNetwork extends SupernodeNetwork {
  constructor(
    private readonly bus: FakeBus,
    private readonly index: number,
  ) {
    super();
  }
  override async list(): Promise<Supernode[]> {
    return this.bus.nodes.map(({ supernode }) => supernode).filter(({ outpoint }) => !this.bus.unlisted.has(outpoint));
  }
  override async self(): Promise<Supernode | undefined> {
    return this.bus.nodes[this.index]!.supernode;
  }
  override urlOf({ ipAddress }: Supernode): string {
    return `http://${ipAddress}:7123`;
  }
  override async send(pubkey: string, text: string): Promise<void> {
    const to = this.bus.nodes.findIndex(({ supernode }) => supernode.pubkey === pubkey);
    if (to < 0 || this.bus.unreachable.has(pubkey)) throw new Error('Message was not sent');
    this.bus.put(this.index, to, text);
  }
  override async inbox(): Promise<MasternodeMessage[]> {
    return [...this.bus.nodes[this.index]!.inbox];
  }
}
