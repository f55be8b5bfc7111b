import { Injectable } from '@nestjs/common';
import {
  In,
  LessThan,
  MoreThanOrEqual,
  type EntityManager,
  type EntityTarget,
  type FindOptionsSelect,
  type FindOptionsWhere,
  type ObjectLiteral,
} from 'typeorm';
import { Transactions } from '#database';
import { ATTEMPTS_MAX } from './dispatch.service.js';
import { DeferredMessage, MessageDispatch, RejectedMessage } from './inbox.entities.js';
import { Message } from './message.entity.js';
import { UserMessage, UserMessageRelay } from './user-message.entities.js';

/** Deletes a batch of what is too old; each method says how many rows went. */
@Injectable()
export class RetentionRepository {
  constructor(private readonly transactions: Transactions) {}

  messagesBefore(instant: Date, limit: number): Promise<number> {
    return this.transactions.run(
      'message retention: messages deleted',
      some(Message, 'id', { timestamp: LessThan(instant) }, limit),
    );
  }
  rejectedBefore(instant: Date, limit: number): Promise<number> {
    const old = { sent_at_seconds: LessThan(instant.getTime() / 1000) };
    return this.transactions.run('message retention: rejected deleted', some(RejectedMessage, 'id', old, limit));
  }
  deferredBefore(instant: Date, limit: number): Promise<number> {
    const old = { sent_at_seconds: LessThan(instant.getTime() / 1000) };
    return this.transactions.run('message retention: deferred deleted', some(DeferredMessage, 'id', old, limit));
  }
  dispatchesGivenUpBefore(instant: Date, limit: number): Promise<number> {
    const old = { due_at: LessThan(instant), attempts: MoreThanOrEqual(ATTEMPTS_MAX) };
    return this.transactions.run(
      'message retention: dispatches deleted',
      some(MessageDispatch, 'pasteld_message_hash', old, limit),
    );
  }
  userMessagesBefore(instant: Date, limit: number): Promise<number> {
    return this.transactions.run(
      'message retention: user messages deleted',
      some(UserMessage, 'key', { timestamp: LessThan(instant) }, limit),
    );
  }
  relaysGivenUpBefore(instant: Date, limit: number): Promise<number> {
    const old = { due_at: LessThan(instant), attempts: MoreThanOrEqual(ATTEMPTS_MAX) };
    return this.transactions.run('message retention: relays deleted', some(UserMessageRelay, 'key', old, limit));
  }
}

const some =
  <E extends ObjectLiteral>(table: EntityTarget<E>, key: keyof E & string, where: FindOptionsWhere<E>, limit: number) =>
  async (manager: EntityManager): Promise<number> => {
    const rows = await manager.find(table, { select: { [key]: true } as FindOptionsSelect<E>, where, take: limit });
    if (rows.length > 0) await manager.delete(table, { [key]: In(rows.map((row) => row[key])) });
    return rows.length;
  };
