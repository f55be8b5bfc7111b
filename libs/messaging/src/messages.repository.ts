import { Injectable } from '@nestjs/common';
import { In, LessThan, LessThanOrEqual, type EntityManager } from 'typeorm';
import { passingOverLocked, Transactions } from '#database';
import { DeferredMessage, MessageDispatch, RejectedMessage } from './inbox.entities.js';
import { Message } from './message.entity.js';
import type { ReceivedMessage } from './message-handlers.js';

/** How many ids or rows one statement handles: SQLite and PostgreSQL both limit the parameters of a statement. */
const AT_ONCE_MAX = 500;

/** Messages, and what is known of inbox items that are not (yet) messages. */
@Injectable()
export class MessagesRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Of these inbox ids, those that are settled: stored or rejected. */
  async settledAmong(ids: readonly string[]): Promise<Set<string>> {
    const settled = new Set<string>();
    const { reader } = this.transactions;
    for (const some of inSlices(ids)) {
      for (const row of await reader.find(Message, {
        select: { pasteld_message_hash: true },
        where: { pasteld_message_hash: In(some) },
      }))
        settled.add(row.pasteld_message_hash);
      for (const row of await reader.find(RejectedMessage, { select: { id: true }, where: { id: In(some) } }))
        settled.add(row.id);
    }
    return settled;
  }

  isStored(id: string): Promise<boolean> {
    return this.transactions.reader.existsBy(Message, { pasteld_message_hash: id });
  }

  /** Throws when the message is there already. */
  async insert(manager: EntityManager, message: Omit<Message, 'id'>): Promise<void> {
    await manager.insert(Message, message);
  }

  async reject(manager: EntityManager, rejected: RejectedMessage): Promise<void> {
    await manager.createQueryBuilder().insert().into(RejectedMessage).values(rejected).orIgnore().execute();
  }

  /** Since when each of these waits for its sender or receiver to be listed. */
  async deferredAmong(ids: readonly string[]): Promise<Map<string, Date>> {
    const since = new Map<string, Date>();
    for (const some of inSlices(ids)) {
      for (const row of await this.transactions.reader.findBy(DeferredMessage, { id: In(some) }))
        since.set(row.id, row.deferred_at);
    }
    return since;
  }

  async defer(manager: EntityManager, deferred: readonly DeferredMessage[]): Promise<void> {
    for (const some of inSlices(deferred))
      await manager.createQueryBuilder().insert().into(DeferredMessage).values(some).orIgnore().execute();
  }

  async forgetDeferred(manager: EntityManager, ids: readonly string[]): Promise<void> {
    for (const some of inSlices(ids)) await manager.delete(DeferredMessage, { id: In(some) });
  }

  async oweDispatch(manager: EntityManager, id: string, now: Date): Promise<void> {
    await manager.insert(MessageDispatch, { pasteld_message_hash: id, attempts: 0, due_at: now, last_error: null });
  }

  /** Those due that nobody else is claiming: the attempt is counted and nobody else tries before `until`. */
  async claimDispatches(
    manager: EntityManager,
    now: Date,
    { attemptsMax, limit, until }: { attemptsMax: number; limit: number; until: Date },
  ): Promise<MessageDispatch[]> {
    const due = await manager.find(MessageDispatch, {
      where: { due_at: LessThanOrEqual(now), attempts: LessThan(attemptsMax) },
      order: { due_at: 'ASC', pasteld_message_hash: 'ASC' },
      take: limit,
      ...passingOverLocked(manager),
    });
    for (const { pasteld_message_hash, attempts } of due)
      await manager.update(MessageDispatch, { pasteld_message_hash }, { attempts: attempts + 1, due_at: until });
    return due.map((one) => ({ ...one, attempts: one.attempts + 1 }));
  }
  async dispatched(manager: EntityManager, id: string): Promise<void> {
    await manager.delete(MessageDispatch, { pasteld_message_hash: id });
  }
  async dispatchFailed(manager: EntityManager, id: string, error: string, again: Date): Promise<void> {
    await manager.update(
      MessageDispatch,
      { pasteld_message_hash: id },
      { last_error: error.slice(0, 500).replaceAll('\0', ''), due_at: again },
    );
  }

  /** Newest first. Plain rows of four columns: making entities of ten thousand messages takes longer than reading them. */
  async since(instant: Date, type: string | undefined, page: { limit: number; offset: number }): Promise<ShownMessage[]> {
    const query = this.transactions.reader
      .createQueryBuilder(Message, 'message')
      .select('message.message_body', 'body')
      .addSelect('message.message_type', 'type')
      .addSelect('message.sending_sn_pastelid', 'sender')
      .addSelect('message.timestamp', 'sent')
      .where('message.timestamp >= :since', { since: instant.toISOString() });
    if (type !== undefined) query.andWhere('message.message_type = :type', { type });
    const rows = await query
      .orderBy('message.timestamp', 'DESC')
      .addOrderBy('message.id', 'DESC')
      .limit(page.limit)
      .offset(page.offset)
      .getRawMany<{ body: string; type: string; sender: string; sent: string }>();
    return rows.map((row) => ({
      text: textIn(row.body),
      type: row.type,
      senderPastelId: row.sender,
      sentAt: new Date(row.sent),
    }));
  }

  async received(id: string): Promise<ReceivedMessage | undefined> {
    const row = await this.transactions.reader.findOneBy(Message, { pasteld_message_hash: id });
    return row ? receivedFrom(row) : undefined;
  }
}

/** What a list shows of a message. */
export type ShownMessage = Pick<ReceivedMessage, 'text' | 'type' | 'senderPastelId' | 'sentAt'>;

const textIn = (envelope: string): string => (JSON.parse(envelope) as { message: string }).message;

function receivedFrom(row: Message): ReceivedMessage {
  return {
    id: row.pasteld_message_hash,
    type: row.message_type,
    text: textIn(row.message_body),
    signature: row.signature,
    senderPastelId: row.sending_sn_pastelid,
    senderOutpoint: row.sending_sn_txid_vout,
    receiverPastelId: row.receiving_sn_pastelid,
    receiverOutpoint: row.receiving_sn_txid_vout,
    sentAt: row.timestamp,
  };
}

function* inSlices<T>(items: readonly T[]): Generator<T[]> {
  for (let at = 0; at < items.length; at += AT_ONCE_MAX) yield items.slice(at, at + AT_ONCE_MAX);
}
