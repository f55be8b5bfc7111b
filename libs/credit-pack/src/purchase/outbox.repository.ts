import { Injectable } from '@nestjs/common';
import { dueBy, passingOverLocked, Transactions, type Due } from '#database';
import { OutgoingAnnouncement } from './outbox.entity.js';

/** Announcements that are still owed. */
@Injectable()
export class OutboxRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Takes the longest due one for an attempt, which counts from now on; as it was before. Undefined where nothing is due. */
  claim(due: Due, nextDueAt: (attempts: number) => number): Promise<OutgoingAnnouncement | undefined> {
    return this.transactions.run('purchase outbox: attempt counted', async (manager) => {
      const where = { dueAt: dueBy(due) };
      const announcement = await manager.findOne(OutgoingAnnouncement, {
        where,
        order: { dueAt: 'ASC' },
        ...passingOverLocked(manager),
      });
      if (!announcement) return undefined;
      const { id, attempts } = announcement;
      await manager.update(OutgoingAnnouncement, { id }, { attempts: attempts + 1, dueAt: nextDueAt(attempts) });
      return announcement;
    });
  }
  async remove({ id }: OutgoingAnnouncement): Promise<void> {
    await this.transactions.run('purchase outbox: delivery noted', (manager) => manager.delete(OutgoingAnnouncement, { id }));
  }
}
