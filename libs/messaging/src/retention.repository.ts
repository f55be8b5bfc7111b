import { Injectable } from '@nestjs/common';
import {
  In,
  LessThan,
  MoreThanOrEqual,
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
    return this.delete(Message, 'id', { timestamp: LessThan(instant) }, limit);
  }
  rejectedBefore(instant: Date, limit: number): Promise<number> {
    return this.delete(RejectedMessage, 'id', { sent_at_seconds: LessThan(instant.getTime() / 1000) }, limit);
  }
  deferredBefore(instant: Date, limit: number): Promise<number> {
    return this.delete(DeferredMessage, 'id', { sent_at_seconds: LessThan(instant.getTime() / 1000) }, limit);
  }
  dispatchesGivenUpBefore(instant: Date, limit: number): Promise<number> {
    return this.delete(
      MessageDispatch,
      'pasteld_message_hash',
      { due_at: LessThan(instant), attempts: MoreThanOrEqual(ATTEMPTS_MAX) },
      limit,
    );
  }
  userMessagesBefore(instant: Date, limit: number): Promise<number> {
    return this.delete(UserMessage, 'key', { timestamp: LessThan(instant) }, limit);
  }
  relaysGivenUpBefore(instant: Date, limit: number): Promise<number> {
    return this.delete(UserMessageRelay, 'key', { due_at: LessThan(instant), attempts: MoreThanOrEqual(ATTEMPTS_MAX) }, limit);
  }

  private delete<E extends ObjectLiteral>(
    table: EntityTarget<E>,
    key: keyof E & string,
    where: FindOptionsWhere<E>,
    limit: number,
  ): Promise<number> {
    return this.transactions.run(async (manager) => {
      const rows = await manager.find(table, { select: { [key]: true } as FindOptionsSelect<E>, where, take: limit });
      if (rows.length > 0) await manager.delete(table, { [key]: In(rows.map((row) => row[key])) });
      return rows.length;
    });
  }
}
