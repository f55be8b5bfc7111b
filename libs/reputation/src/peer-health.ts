import { Injectable } from '@nestjs/common';
import axios from 'axios';
import { SupernodeNetwork, type Supernode } from '#chain';
import { Clock } from '#protocol';

/** Which supernodes do not answer. */
export abstract class PeerHealth {
  /** IP addresses of the supernode list; this node's own never among them. */
  abstract unreachable(): Promise<ReadonlySet<string>>;
}

/** A peer that does not answer a liveness ping in this time is left out (credit-packs spec 5.3). */
const PING_TIMEOUT_MS = 800;
const PINGS_AT_ONCE = 32;
const KEPT_MS = 60_000;
const ANSWER_BYTES_MAX = 65_536;

/** Pings every supernode, at most once a minute. What a peer answers does not matter: only that it is a 200. */
@Injectable()
export class LivenessProbe extends PeerHealth {
  private latest: { readonly ips: Promise<ReadonlySet<string>>; readonly at: number } | undefined;

  constructor(
    private readonly network: SupernodeNetwork,
    private readonly clock: Clock,
  ) {
    super();
  }

  unreachable(): Promise<ReadonlySet<string>> {
    const at = this.clock.now().getTime();
    const age = at - (this.latest?.at ?? -Infinity);
    if (this.latest && age >= 0 && age < KEPT_MS) return this.latest.ips;
    const probe = { ips: this.probe(), at };
    this.latest = probe;
    probe.ips.catch(() => {
      if (this.latest === probe) this.latest = undefined;
    });
    return probe.ips;
  }

  private async probe(): Promise<ReadonlySet<string>> {
    const [list, self] = await Promise.all([this.network.list(), this.network.self()]);
    const waiting = list.filter(({ outpoint }) => outpoint !== self?.outpoint);
    const dead = new Set<string>();
    const worker = async (): Promise<void> => {
      for (let peer = waiting.pop(); peer; peer = waiting.pop()) if (!(await this.isAlive(peer))) dead.add(peer.ipAddress);
    };
    await Promise.all(Array.from({ length: PINGS_AT_ONCE }, worker));
    return dead;
  }

  private async isAlive(peer: Supernode): Promise<boolean> {
    try {
      const { status } = await axios.get<string>(`${this.network.urlOf(peer)}/liveness_ping`, {
        signal: AbortSignal.timeout(PING_TIMEOUT_MS),
        responseType: 'text',
        transformResponse: [(text: unknown) => text],
        maxContentLength: ANSWER_BYTES_MAX,
        maxRedirects: 0,
        validateStatus: () => true,
        proxy: false,
      });
      return status === 200;
    } catch {
      return false;
    }
  }
}
