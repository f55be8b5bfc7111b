import { Injectable } from '@nestjs/common';
import { In, IsNull, LessThan, Not, type EntityManager } from 'typeorm';
import { Transactions } from '#database';
import { Rating, Standing } from './reputation.entities.js';

const ROWS_AT_ONCE = 500;
/** Packs that are counted for one supernode; the newest ratings of more would not move a mean any further. */
const VOICES_MAX = 10_000;
const CLEARED_AT_ONCE = 1000;

/** What owners of paid requests said of a supernode. */
export interface Said {
  /** The mean of each pack's ratings, in hundredths. */
  readonly voices: readonly number[];
  readonly resultsAgreeing: number;
  readonly resultsDiffering: number;
}

/** Ratings, and the scores that they and the measurements make. */
@Injectable()
export class StandingRepository {
  constructor(private readonly transactions: Transactions) {}

  ratingOf(responseId: string): Promise<Rating | null> {
    return this.transactions.read((m) => m.findOneBy(Rating, { inference_response_id: responseId }));
  }

  /** Throws a unique violation where the request was rated before. */
  addRating(rating: Rating): Promise<void> {
    return this.transactions.run('reputation: rating stored', async (m) => {
      await m.insert(Rating, rating);
    });
  }

  said(supernodePastelId: string): Promise<Said> {
    return this.transactions.read(async (m) => {
      const rows = await m
        .createQueryBuilder(Rating, 'rating')
        .select('AVG(rating.score_hundredths)', 'mean')
        .where({ supernode_pastelid: supernodePastelId })
        .groupBy('rating.pack_txid')
        .limit(VOICES_MAX)
        .getRawMany<{ mean: string | number }>();
      return {
        voices: rows.map(({ mean }) => Number(mean)),
        resultsAgreeing: await this.results(m, supernodePastelId, true),
        resultsDiffering: await this.results(m, supernodePastelId, false),
      };
    });
  }
  private results(m: EntityManager, supernode_pastelid: string, result_agrees: boolean): Promise<number> {
    return m.countBy(Rating, { supernode_pastelid, result_agrees });
  }

  /** Of these supernodes, the ones that somebody rated. */
  rated(pastelIds: readonly string[]): Promise<Set<string>> {
    return this.transactions.read(async (m) => {
      const found = new Set<string>();
      for (let at = 0; at < pastelIds.length; at += ROWS_AT_ONCE) {
        const some = await m
          .createQueryBuilder(Rating, 'rating')
          .select('DISTINCT rating.supernode_pastelid', 'pastelid')
          .where({ supernode_pastelid: In(pastelIds.slice(at, at + ROWS_AT_ONCE)) })
          .getRawMany<{ pastelid: string }>();
        for (const { pastelid } of some) found.add(pastelid);
      }
      return found;
    });
  }

  standing(supernodePastelId: string): Promise<Standing | null> {
    return this.transactions.read((m) => m.findOneBy(Standing, { supernode_pastelid: supernodePastelId }));
  }
  standings(): Promise<Standing[]> {
    return this.transactions.read((m) => m.find(Standing, { order: { score_hundredths: 'DESC', supernode_pastelid: 'ASC' } }));
  }

  store(standings: readonly Standing[]): Promise<void> {
    return this.transactions.run('reputation: standings stored', async (m) => {
      for (let at = 0; at < standings.length; at += ROWS_AT_ONCE)
        await m.upsert(Standing, standings.slice(at, at + ROWS_AT_ONCE), ['supernode_pastelid']);
    });
  }

  /** A batch of ratings from before, and the standings of supernodes that left and that nobody rated. */
  clear(ratingsBeforeMs: number, standingsBeforeMs: number): Promise<void> {
    return this.transactions.run('reputation: old standings deleted', async (m) => {
      const where = { received_at_ms: LessThan(ratingsBeforeMs) };
      const old = await m.find(Rating, { select: { inference_response_id: true }, where, take: CLEARED_AT_ONCE });
      if (old.length > 0)
        await m.delete(Rating, { inference_response_id: In(old.map(({ inference_response_id }) => inference_response_id)) });
      await m.delete(Standing, { updated_at_ms: LessThan(standingsBeforeMs), rating_hundredths: IsNull() });
      await m.delete(Standing, { updated_at_ms: LessThan(ratingsBeforeMs), rating_hundredths: Not(IsNull()) });
    });
  }
}
