import { Injectable } from '@nestjs/common';
import { In, LessThan, type EntityManager } from 'typeorm';
import { Transactions } from '#database';
import { PeerHour, PeerState } from './reputation.entities.js';
import type { Probed } from './peer-probe.js';

const HOUR_MS = 3_600_000;
/** As long as the original kept its tables of measurements (messaging spec 3.8). */
export const KEPT_HOURS = 72;
/** Rows of one statement: SQLite takes 32,766 parameters at most. */
const ROWS_AT_ONCE = 500;
const CLEARED_AT_ONCE = 5000;

/** How often a supernode was asked within the hours that are kept, and how often it answered. */
export interface Counted {
  readonly outpoint: string;
  readonly asked: number;
  readonly answered: number;
}

/** What came of asking the other supernodes. */
@Injectable()
export class PeersRepository {
  constructor(private readonly transactions: Transactions) {}

  store(probed: readonly Probed[], atMs: number): Promise<void> {
    return this.transactions.run('reputation: peers stored', async (m) => {
      for (let at = 0; at < probed.length; at += ROWS_AT_ONCE) await this.storeSome(m, probed.slice(at, at + ROWS_AT_ONCE), atMs);
    });
  }

  private async storeSome(m: EntityManager, probed: readonly Probed[], atMs: number): Promise<void> {
    const outpoint = In(probed.map(({ peer }) => peer.outpoint));
    const before = new Map((await m.findBy(PeerState, { outpoint })).map((state) => [state.outpoint, state]));
    const states = probed.map(({ peer, figures }) => ({
      outpoint: peer.outpoint,
      pastelid: peer.pastelId ?? null,
      ip_address: peer.ipAddress,
      answers: figures !== undefined,
      asked_at_ms: atMs,
      answered_at_ms: figures ? atMs : (before.get(peer.outpoint)?.answered_at_ms ?? null),
      stated_score: figures?.score ?? null,
      stated_ratio_hundredths: typeof figures?.ratio === 'number' ? Math.round(figures.ratio * 100) : null,
    }));
    await m.upsert(PeerState, states, ['outpoint']);
    const hour_ms = Math.floor(atMs / HOUR_MS) * HOUR_MS;
    const hours = probed.map(({ peer }) => ({ outpoint: peer.outpoint, hour_ms, asked: 0, answered: 0 }));
    await m.createQueryBuilder().insert().into(PeerHour).values(hours).orIgnore().execute();
    await m.increment(PeerHour, { outpoint, hour_ms }, 'asked', 1);
    const alive = probed.filter(({ figures }) => figures !== undefined).map(({ peer }) => peer.outpoint);
    if (alive.length > 0) await m.increment(PeerHour, { outpoint: In(alive), hour_ms }, 'answered', 1);
  }

  /** By address, those that answer first. */
  states(): Promise<PeerState[]> {
    return this.transactions.read((m) => m.find(PeerState, { order: { answers: 'DESC', ip_address: 'ASC', outpoint: 'ASC' } }));
  }

  counts(): Promise<Counted[]> {
    return this.transactions.read(async (m) => {
      const rows = await m
        .createQueryBuilder(PeerHour, 'hour')
        .select('hour.outpoint', 'outpoint')
        .addSelect('SUM(hour.asked)', 'asked')
        .addSelect('SUM(hour.answered)', 'answered')
        .groupBy('hour.outpoint')
        .getRawMany<{ outpoint: string; asked: string | number; answered: string | number }>();
      return rows.map(({ outpoint, asked, answered }) => ({ outpoint, asked: Number(asked), answered: Number(answered) }));
    });
  }

  /** The network as a whole, oldest hour first. */
  hours(): Promise<{ hourMs: number; asked: number; answered: number }[]> {
    return this.transactions.read(async (m) => {
      const rows = await m
        .createQueryBuilder(PeerHour, 'hour')
        .select('hour.hour_ms', 'hour_ms')
        .addSelect('SUM(hour.asked)', 'asked')
        .addSelect('SUM(hour.answered)', 'answered')
        .groupBy('hour.hour_ms')
        .orderBy('hour.hour_ms')
        .getRawMany<Record<'hour_ms' | 'asked' | 'answered', string | number>>();
      return rows.map((row) => ({ hourMs: Number(row.hour_ms), asked: Number(row.asked), answered: Number(row.answered) }));
    });
  }

  /** Forgets hours, and supernodes that were not asked any more, after three days. */
  clearBefore(now: Date): Promise<void> {
    const before = now.getTime() - KEPT_HOURS * HOUR_MS;
    return this.transactions.run('reputation: old peers deleted', async (m) => {
      await m.delete(PeerState, { asked_at_ms: LessThan(before) });
      const hours = await m.find(PeerHour, { where: { hour_ms: LessThan(before) }, take: CLEARED_AT_ONCE });
      for (const hour_ms of new Set(hours.map((hour) => hour.hour_ms))) await m.delete(PeerHour, { hour_ms });
    });
  }
}
