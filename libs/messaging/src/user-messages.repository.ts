import { Injectable } from '@nestjs/common';
import { LessThan, LessThanOrEqual, type EntityManager } from 'typeorm';
import { passingOverLocked, Transactions } from '#database';
import { UserMessage, UserMessageRelay } from './user-message.entities.js';

@Injectable()
export class UserMessagesRepository {
  constructor(private readonly transactions: Transactions) {}

  /** The stored message of this sender with this id, which is the given one when it was not there before. */
  async keep(manager: EntityManager, message: Omit<UserMessage, 'key'>): Promise<{ stored: UserMessage; isNew: boolean }> {
    const where = { from_pastelid: message.from_pastelid, id: message.id };
    const known = await manager.findOneBy(UserMessage, where);
    if (known) return { stored: known, isNew: false };
    // The unique key decides between two that come at once; the one that was too late waits here, then finds the other's row.
    await manager.createQueryBuilder().insert().into(UserMessage).values(message).orIgnore().execute();
    const stored = await manager.findOneByOrFail(UserMessage, where);
    return { stored, isNew: true };
  }

  async byKey(key: number): Promise<UserMessage | null> {
    return this.transactions.reader.findOneBy(UserMessage, { key });
  }

  /** Sent and received, oldest first. */
  async of(pastelId: string, page: { limit: number; offset: number }): Promise<UserMessage[]> {
    return this.transactions.reader.find(UserMessage, {
      where: mailboxOf(pastelId),
      order: { timestamp: 'ASC', key: 'ASC' },
      take: page.limit,
      skip: page.offset,
    });
  }
  /** The newest, oldest of them first. */
  async newestOf(pastelId: string, limit: number): Promise<UserMessage[]> {
    const newestFirst = await this.transactions.reader.find(UserMessage, {
      where: mailboxOf(pastelId),
      order: { timestamp: 'DESC', key: 'DESC' },
      take: limit,
    });
    return newestFirst.reverse();
  }

  async oweRelays(manager: EntityManager, messageKey: number, supernodes: readonly string[], due: Date): Promise<void> {
    const rows = supernodes.map((supernode_pastelid) => ({
      message_key: messageKey,
      supernode_pastelid,
      attempts: 0,
      due_at: due,
    }));
    if (rows.length > 0) await manager.createQueryBuilder().insert().into(UserMessageRelay).values(rows).orIgnore().execute();
  }
  async messagesWithRelaysDue(now: Date, attemptsMax: number, limit: number): Promise<number[]> {
    const rows = await this.transactions.reader.find(UserMessageRelay, {
      where: { due_at: LessThanOrEqual(now), attempts: LessThan(attemptsMax) },
      order: { due_at: 'ASC', key: 'ASC' },
      take: limit,
    });
    return [...new Set(rows.map(({ message_key }) => message_key))];
  }
  /** Counts the attempt and keeps others off until then; gives the rows that are now ours to send. */
  async claimRelays(
    manager: EntityManager,
    messageKey: number,
    now: Date,
    attemptsMax: number,
    until: Date,
  ): Promise<UserMessageRelay[]> {
    const where = { message_key: messageKey, due_at: LessThanOrEqual(now), attempts: LessThan(attemptsMax) };
    const due = await manager.find(UserMessageRelay, { where, order: { key: 'ASC' }, ...passingOverLocked(manager) });
    for (const { key, attempts } of due)
      await manager.update(UserMessageRelay, { key }, { attempts: attempts + 1, due_at: until });
    return due.map((relay) => ({ ...relay, attempts: relay.attempts + 1 }));
  }
  async relayed(manager: EntityManager, key: number): Promise<void> {
    await manager.delete(UserMessageRelay, { key });
  }
  async relayAgain(manager: EntityManager, key: number, due: Date): Promise<void> {
    await manager.update(UserMessageRelay, { key }, { due_at: due });
  }
}

const mailboxOf = (pastelId: string) => [{ from_pastelid: pastelId }, { to_pastelid: pastelId }];
