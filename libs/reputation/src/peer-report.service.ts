import { Injectable } from '@nestjs/common';
import { pythonTimestamp } from '#protocol';
import { BenchmarkRepository } from './benchmark.repository.js';
import { benchmarkPage } from './benchmark-page.js';
import type { NetworkReport, PeerReport } from './peer-report.js';
import { PeersRepository } from './peers.repository.js';
import type { PeerState } from './reputation.entities.js';
import { StandingRepository } from './standing.repository.js';

/** What was measured, for people. */
@Injectable()
export class PeerReports {
  constructor(
    private readonly peers: PeersRepository,
    private readonly benchmarks: BenchmarkRepository,
    private readonly standings: StandingRepository,
  ) {}

  async network(): Promise<NetworkReport> {
    const shares = new Map((await this.peers.counts()).map(({ outpoint, asked, answered }) => [outpoint, answered / asked]));
    const supernodes = (await this.peers.states()).map((state) => reportOf(state, shares.get(state.outpoint)));
    const answering = supernodes.filter(({ answers }) => answers).length;
    return { answering, not_answering: supernodes.length - answering, supernodes };
  }

  /** HTML. */
  async page(): Promise<string> {
    return benchmarkPage({
      benchmarks: await this.benchmarks.history(),
      hours: await this.peers.hours(),
      peers: (await this.network()).supernodes,
      scores: new Map((await this.standings.standings()).map((s) => [s.supernode_pastelid, s.score_hundredths / 100])),
    });
  }
}

const instant = (ms: number): string => pythonTimestamp(new Date(ms));
const reportOf = (state: PeerState, share: number | undefined): PeerReport => ({
  outpoint: state.outpoint,
  pastelid: state.pastelid,
  ip_address: state.ip_address,
  answers: state.answers,
  asked: instant(state.asked_at_ms),
  last_answer: state.answered_at_ms === null ? null : instant(state.answered_at_ms),
  share_answered: share === undefined ? null : Math.round(share * 10_000) / 10_000,
  raw_benchmark_score: state.stated_score,
  performance_ratio_score: state.stated_ratio_hundredths === null ? null : state.stated_ratio_hundredths / 100,
});
