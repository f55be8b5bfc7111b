import { Injectable } from '@nestjs/common';
import { SupernodeNetwork } from '#chain';
import { Clock, pythonTimestamp, Refusal } from '#protocol';
import { KEPT_HOURS, PeersRepository, type Counted } from './peers.repository.js';
import type { Standing } from './reputation.entities.js';
import { StandingRepository } from './standing.repository.js';
import { NOTHING_KNOWN, scoreOf } from './standing.rules.js';

/** `GET /reputation/{pastelid}`; scores and ratings from 0 to 5, shares from 0 to 1. */
export interface Reputation {
  readonly supernode_pastelid: string;
  readonly reputation_score: number;
  readonly rating: { readonly mean: number | null; readonly voices: number };
  readonly liveness: { readonly share: number | null; readonly asked: number; readonly answered: number };
  readonly audit: { readonly agreeing: number; readonly differing: number };
  /** Null where nothing is known yet. */
  readonly updated: string | null;
}

const HOUR_MS = 3_600_000;
/** Ratings count for half a year, so that a supernode can become better, or worse. */
const RATINGS_KEPT_MS = 180 * 24 * HOUR_MS;

/** What this node thinks of the supernodes, from what it measured and what owners of paid requests said (docs/reputation.md). */
@Injectable()
export class StandingService {
  constructor(
    private readonly repository: StandingRepository,
    private readonly peers: PeersRepository,
    private readonly network: SupernodeNetwork,
    private readonly clock: Clock,
  ) {}

  /** Throws a `not-found` Refusal for whoever is no supernode and never was rated. */
  async reputation(pastelId: string): Promise<Reputation> {
    const standing = await this.repository.standing(pastelId);
    if (standing) return shown(standing);
    const isListed = (await this.network.list()).some((node) => node.pastelId === pastelId);
    if (!isListed) throw new Refusal('not-found', 'No supernode has this PastelID');
    return { ...shown(standingOf(pastelId, NOTHING_KNOWN, 0)), updated: null };
  }

  /** After a new rating. */
  async score(pastelId: string): Promise<void> {
    const outpoint = (await this.network.list()).find((node) => node.pastelId === pastelId)?.outpoint;
    const counted = (await this.peers.counts()).find((count) => count.outpoint === outpoint);
    await this.repository.store([await this.scored(pastelId, counted, true, this.clock.now().getTime())]);
  }

  /** Scores every listed supernode anew, and forgets what is old. */
  async scoreListed(now: Date): Promise<void> {
    const counts = new Map((await this.peers.counts()).map((count) => [count.outpoint, count]));
    const listed = new Map(
      (await this.network.list()).flatMap(({ pastelId, outpoint }) =>
        pastelId === undefined ? [] : [[pastelId, counts.get(outpoint)] as const],
      ),
    );
    const rated = await this.repository.rated([...listed.keys()]);
    const standings: Standing[] = [];
    for (const [pastelId, counted] of listed)
      standings.push(await this.scored(pastelId, counted, rated.has(pastelId), now.getTime()));
    await this.repository.store(standings);
    await this.repository.clear(now.getTime() - RATINGS_KEPT_MS, now.getTime() - KEPT_HOURS * HOUR_MS);
  }

  private async scored(pastelId: string, counted: Counted | undefined, isRated: boolean, nowMs: number): Promise<Standing> {
    const said = isRated ? await this.repository.said(pastelId) : NOTHING_KNOWN;
    const { voices, resultsAgreeing, resultsDiffering } = said;
    const { asked, answered } = counted ?? NOTHING_KNOWN;
    return standingOf(pastelId, { voices, resultsAgreeing, resultsDiffering, asked, answered }, nowMs);
  }
}

function standingOf(supernode_pastelid: string, evidence: Parameters<typeof scoreOf>[0], updated_at_ms: number): Standing {
  const { scoreHundredths: score_hundredths, ratingHundredths: rating_hundredths } = scoreOf(evidence);
  return {
    supernode_pastelid,
    score_hundredths,
    voices: evidence.voices.length,
    rating_hundredths,
    asked: evidence.asked,
    answered: evidence.answered,
    results_agreeing: evidence.resultsAgreeing,
    results_differing: evidence.resultsDiffering,
    updated_at_ms,
  };
}

const shown = (standing: Standing): Reputation => ({
  supernode_pastelid: standing.supernode_pastelid,
  reputation_score: standing.score_hundredths / 100,
  rating: {
    mean: standing.rating_hundredths === null ? null : standing.rating_hundredths / 100,
    voices: standing.voices,
  },
  liveness: {
    share: standing.asked === 0 ? null : Math.round((standing.answered / standing.asked) * 10_000) / 10_000,
    asked: standing.asked,
    answered: standing.answered,
  },
  audit: { agreeing: standing.results_agreeing, differing: standing.results_differing },
  updated: pythonTimestamp(new Date(standing.updated_at_ms)),
});
