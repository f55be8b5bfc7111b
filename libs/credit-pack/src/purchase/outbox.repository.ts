import { Injectable } from '@nestjs/common';
import { LessThanOrEqual } from 'typeorm';
import { Transactions } from '#database';
import { OutgoingAnnouncement } from './outbox.entity.js';

/** Announcements that are still owed. */
@Injectable()
export class OutboxRepository {
  constructor(private readonly transactions: Transactions) {}

  due(now: number, limit: number): Promise<OutgoingAnnouncement[]> {
    return this.transactions.reader.find(OutgoingAnnouncement, {
      where: { dueAt: LessThanOrEqual(now) },
      order: { dueAt: 'ASC' },
      take: limit,
    });
  }
  /** False when another sweep has taken it: its attempts are not what was read. */
  async take({ id, attempts }: OutgoingAnnouncement, nextDueAt: number): Promise<boolean> {
    const { affected } = await this.transactions.run('purchase outbox: attempt counted', (manager) =>
      manager.update(OutgoingAnnouncement, { id, attempts }, { attempts: attempts + 1, dueAt: nextDueAt }),
    );
    return affected === 1;
  }
  async remove({ id }: OutgoingAnnouncement): Promise<void> {
    await this.transactions.run('purchase outbox: delivery noted', (manager) => manager.delete(OutgoingAnnouncement, { id }));
  }
}
