import { Injectable } from '@nestjs/common';
import { Clock, Entropy } from '#protocol';
import { PeerProbe } from './peer-probe.js';
import { PeersRepository } from './peers.repository.js';
import { StandingService } from './standing.service.js';

/** Which supernodes do not answer. */
export abstract class PeerHealth {
  /** IP addresses of the supernode list; this node's own never among them. */
  abstract unreachable(): Promise<ReadonlySet<string>>;
}

const KEPT_MS = 60_000;
/** 300 s, give or take 180 (messaging spec 3.8), so that the nodes of the network do not ask in step. */
const SWEEP_MS_MIN = 120_000;
const SWEEP_MS_SPREAD = 360_001;

/**
 * Who of the other supernodes is up.
 * 1. All are asked, at most once a minute, whoever wants to know; some minutes apart also when nobody does.
 * 2. What they said is stored: the state of each, and a count for each hour.
 * 3. Where nobody at all answers, this node's own line is down: nothing is held against anybody.
 */
@Injectable()
export class MeasuredPeerHealth extends PeerHealth {
  private latest: { readonly ips: Promise<ReadonlySet<string>>; readonly at: number } | undefined;
  private dueAtMs = 0;

  constructor(
    private readonly probe: PeerProbe,
    private readonly peers: PeersRepository,
    private readonly standings: StandingService,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {
    super();
  }

  unreachable(): Promise<ReadonlySet<string>> {
    const at = this.clock.now().getTime();
    const age = at - (this.latest?.at ?? -Infinity);
    if (this.latest && age >= 0 && age < KEPT_MS) return this.latest.ips;
    const look = { ips: this.look(at), at };
    this.latest = look;
    look.ips.catch(() => {
      if (this.latest === look) this.latest = undefined;
    });
    return look.ips;
  }

  /** Asks, counts and scores when it is time to. */
  async sweep(now: Date): Promise<void> {
    const leftMs = this.dueAtMs - now.getTime();
    // So much is never left, unless the clock was set back.
    if (leftMs > 0 && leftMs < SWEEP_MS_MIN + SWEEP_MS_SPREAD) return;
    this.dueAtMs = now.getTime() + SWEEP_MS_MIN + this.entropy.below(SWEEP_MS_SPREAD);
    await this.unreachable();
    await this.standings.scoreListed(now);
    await this.peers.clearBefore(now);
  }

  private async look(atMs: number): Promise<ReadonlySet<string>> {
    const probed = await this.probe.askAll();
    const dead = probed.filter(({ figures }) => figures === undefined);
    const isOwnLineDown = dead.length === probed.length;
    if (isOwnLineDown) return new Set();
    await this.peers.store(probed, atMs);
    return new Set(dead.map(({ peer }) => peer.ipAddress));
  }
}
