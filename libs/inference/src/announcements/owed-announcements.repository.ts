import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import { dueBy, passingOverLocked, Transactions, type Due } from '#database';
import { OwedAnnouncement } from '../inference.entities.js';

/** The outbox: what other supernodes are owed, stored together with what it announces. */
@Injectable()
export class OwedAnnouncementsRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Takes the longest due one for an attempt, which counts from now on; as it was before. Undefined where nothing is due. */
  claim(due: Due, pauseAfter: (attempts: number) => number): Promise<OwedAnnouncement | undefined> {
    return this.transactions.run('announcement: attempt counted', async (m) => {
      const where = { done: false, due_at_ms: dueBy(due) };
      const owed = await m.findOne(OwedAnnouncement, { where, order: { due_at_ms: 'ASC' }, ...passingOverLocked(m) });
      if (!owed) return undefined;
      const { id, attempts } = owed;
      await m.update(OwedAnnouncement, { id }, { attempts: attempts + 1, due_at_ms: due.nowMs + pauseAfter(attempts) });
      return owed;
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
