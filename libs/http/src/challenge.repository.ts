import { Injectable } from '@nestjs/common';
import { In, LessThanOrEqual, MoreThan, type EntityManager, type FindOptionsWhere } from 'typeorm';
import { Transactions } from '#database';
import { ChallengeRow } from './challenge.entity.js';

@Injectable()
export class ChallengeRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Stores it; where a limit is reached, the oldest ones make room. */
  add(row: ChallengeRow, limits: { inAll: number; perPastelId: number }): Promise<void> {
    return this.transactions.run('challenge: issued', async (manager) => {
      await makeRoom(manager, { pastelid: row.pastelid }, limits.perPastelId);
      await makeRoom(manager, {}, limits.inAll);
      await manager.insert(ChallengeRow, row);
    });
  }

  find(challengeId: string): Promise<ChallengeRow | null> {
    return this.transactions.reader.findOneBy(ChallengeRow, { challenge_id: challengeId });
  }

  /** One conditional statement decides who uses it: true once, for one caller. */
  take(challengeId: string, nowMs: number): Promise<boolean> {
    return this.transactions.run('challenge: used', async (manager) => {
      const { affected } = await manager.delete(ChallengeRow, { challenge_id: challengeId, expires_at_ms: MoreThan(nowMs) });
      return affected === 1;
    });
  }

  /** Counts a wrong signature; after the last forgiven one the challenge is gone. */
  countWrongSignature(challengeId: string): Promise<void> {
    return this.transactions.run('challenge: wrong signature counted', async (manager) => {
      await manager.decrement(ChallengeRow, { challenge_id: challengeId }, 'attempts_left', 1);
      await manager.delete(ChallengeRow, { challenge_id: challengeId, attempts_left: LessThanOrEqual(0) });
    });
  }

  /** Removes up to `max` that have expired; says how many. */
  removeExpired(nowMs: number, max: number): Promise<number> {
    return this.transactions.run('challenge: expired deleted', async (manager) => {
      const expired = await oldest(manager, { expires_at_ms: LessThanOrEqual(nowMs) }, max);
      return remove(manager, expired);
    });
  }
}

async function makeRoom(manager: EntityManager, where: FindOptionsWhere<ChallengeRow>, limit: number): Promise<void> {
  const tooMany = (await manager.countBy(ChallengeRow, where)) + 1 - limit;
  if (tooMany > 0) await remove(manager, await oldest(manager, where, tooMany));
}

async function oldest(manager: EntityManager, where: FindOptionsWhere<ChallengeRow>, take: number): Promise<string[]> {
  const rows = await manager.find(ChallengeRow, { select: { challenge_id: true }, where, order: { expires_at_ms: 'ASC' }, take });
  return rows.map((row) => row.challenge_id);
}

async function remove(manager: EntityManager, challengeIds: readonly string[]): Promise<number> {
  if (challengeIds.length === 0) return 0;
  const { affected } = await manager.delete(ChallengeRow, { challenge_id: In([...challengeIds]) });
  return affected ?? 0;
}
