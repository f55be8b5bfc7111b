import { ChainRefusal, ChainUnavailable, SupernodeNetwork, type MasternodeMessage, type Supernode } from '#chain';
import type { Clock } from '#protocol';
import type { JsonRpcClient } from './json-rpc.client.js';
import { readable, type Reply } from './reply.js';
import { isListed, joinSupernodeLists } from './supernode-list.rules.js';

export interface SupernodeNetworkOptions {
  /** How long a list is served before it is fetched again. */
  readonly listMaxAgeMs: number;
  /** `listed`: the port of the supernode list. */
  readonly apiPort: number | 'listed';
  /** Which row is this node's, where it is configured. */
  readonly pastelId: string | undefined;
}

/** After a failure the old list is served this long before pasteld is asked again. */
const FAILURE_PAUSE_MS = 10_000;
/** A node may become a supernode while we run. */
const OUTPOINT_MAX_AGE_MS = 60_000;
/** What `masternode status` answers elsewhere (pasteld spec C.6). */
const NOT_A_MASTERNODE = -32603;

interface Aged<T> {
  readonly value: T;
  readonly at: number;
}

/** `masternodelist` and `masternode message` of pasteld. The list is kept, fetched once for all who ask, and served stale when pasteld is away. */
export class JsonRpcSupernodeNetwork extends SupernodeNetwork {
  private known?: Aged<Supernode[]>;
  private fetching?: Promise<Supernode[]>;
  private failedAt = Number.NEGATIVE_INFINITY;
  private outpoint?: Aged<string | undefined>;

  constructor(
    private readonly rpc: JsonRpcClient,
    private readonly clock: Clock,
    private readonly options: SupernodeNetworkOptions,
  ) {
    super();
  }

  async list(): Promise<Supernode[]> {
    return (await this.rows()).filter(isListed);
  }

  async self(): Promise<Supernode | undefined> {
    const { pastelId } = this.options;
    if (pastelId !== undefined) return (await this.list()).find((row) => row.pastelId === pastelId);
    const outpoint = await this.ownOutpoint();
    return outpoint === undefined ? undefined : (await this.list()).find((row) => row.outpoint === outpoint);
  }

  urlOf({ ipAddress, port }: Supernode): string {
    const host = ipAddress.includes(':') ? `[${ipAddress}]` : ipAddress;
    return `http://${host}:${this.options.apiPort === 'listed' ? port : this.options.apiPort}`;
  }

  async send(pubkey: string, text: string): Promise<void> {
    await this.rpc.call('masternode message send', [pubkey, text]);
  }

  async inbox(): Promise<MasternodeMessage[]> {
    const reply = await this.rpc.call('masternode message list');
    // Each item is an object of one member, keyed by the message's id.
    return reply.list.flatMap((item) =>
      (item.isObject ? item.entries : []).flatMap(([id, message]) => readable([message], (m) => messageIn(id, m))),
    );
  }

  /** Fetches the list now, whatever its age. */
  async refresh(): Promise<Supernode[]> {
    return (await this.fetch()).filter(isListed);
  }

  private async rows(): Promise<Supernode[]> {
    const now = this.now();
    if (this.known && now - this.known.at < this.options.listMaxAgeMs) return this.known.value;
    if (this.known && now - this.failedAt < FAILURE_PAUSE_MS) return this.known.value;
    try {
      return await this.fetch();
    } catch (error) {
      if (this.known && (error instanceof ChainUnavailable || error instanceof ChainRefusal)) return this.known.value;
      throw error;
    }
  }

  private fetch(): Promise<Supernode[]> {
    this.fetching ??= this.fetchLists().finally(() => {
      delete this.fetching;
    });
    return this.fetching;
  }
  private async fetchLists(): Promise<Supernode[]> {
    try {
      const [full, rank, pubkey, extra] = await Promise.all([
        this.rpc.call('masternodelist full'),
        this.rpc.call('masternodelist rank'),
        this.rpc.call('masternodelist pubkey'),
        this.rpc.call('masternodelist extra'),
      ]);
      const rows = joinSupernodeLists({ full, rank, pubkey, extra });
      if (rows.length === 0)
        throw new ChainUnavailable('masternodelist full', 'its list is empty; the node is probably still syncing');
      this.known = { value: rows, at: this.now() };
      return rows;
    } catch (error) {
      this.failedAt = this.now();
      throw error;
    }
  }

  private async ownOutpoint(): Promise<string | undefined> {
    const now = this.now();
    if (this.outpoint && (this.outpoint.value !== undefined || now - this.outpoint.at < OUTPOINT_MAX_AGE_MS))
      return this.outpoint.value;
    const value = await this.rpc.call('masternode status').then(
      (reply) => reply.at('outpoint').text,
      (error: unknown) => {
        if (error instanceof ChainRefusal && error.code === NOT_A_MASTERNODE) return undefined;
        throw error;
      },
    );
    this.outpoint = { value, at: now };
    return value;
  }

  private now(): number {
    return this.clock.monotonicMs();
  }
}

const messageIn = (id: string, message: Reply): MasternodeMessage => ({
  id,
  from: message.at('From').text,
  to: message.at('To').text,
  timestamp: message.at('Timestamp').integer,
  text: message.at('Message').text,
});
