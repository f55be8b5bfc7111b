import { Injectable } from '@nestjs/common';
import { LessThan, LessThanOrEqual } from 'typeorm';
import { Transactions } from '#database';
import { OwedAnnouncement } from '../inference.entities.js';

/** The outbox: what other supernodes are owed, stored together with what it announces. */
@Injectable()
export class OwedAnnouncementsRepository {
  constructor(private readonly transactions: Transactions) {}

  due(nowMs: number, limit: number): Promise<OwedAnnouncement[]> {
    const where = { done: false, due_at_ms: LessThanOrEqual(nowMs) };
    return this.transactions.read((m) => m.find(OwedAnnouncement, { where, order: { due_at_ms: 'ASC' }, take: limit }));
  }

  /** Takes the announcement for one attempt, until `dueAtMs`; `false` where another process was first. */
  take(announcement: OwedAnnouncement, dueAtMs: number): Promise<boolean> {
    const { id, attempts } = announcement;
    return this.transactions.run('announcement: attempt counted', async (m) => {
      const { affected } = await m.update(
        OwedAnnouncement,
        { id, attempts, done: false },
        { attempts: attempts + 1, due_at_ms: dueAtMs },
      );
      return affected === 1;
    });
  }

  noteDeliveries(id: string, deliveredTo: readonly string[], done: boolean): Promise<void> {
    return this.transactions.run('announcement: deliveries noted', async (m) => {
      await m.update(OwedAnnouncement, { id }, { delivered_to: JSON.stringify(deliveredTo), done, ...(done && { text: '' }) });
    });
  }

  clearBefore(ms: number, limit: number): Promise<number> {
    return this.transactions.run('announcement: old ones deleted', async (m) => {
      const old = await m.find(OwedAnnouncement, { select: { id: true }, where: { created_at_ms: LessThan(ms) }, take: limit });
      if (old.length > 0)
        await m.delete(
          OwedAnnouncement,
          old.map(({ id }) => id),
        );
      return old.length;
    });
  }
}
