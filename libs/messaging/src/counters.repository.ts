import { Injectable } from '@nestjs/common';
import type { EntityManager, EntityTarget, FindOptionsWhere, ObjectLiteral } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import type { Message } from './message.entity.js';
import {
  MessageMetadata,
  MessageReceiverMetadata,
  MessageSenderMetadata,
  MessageSenderReceiverMetadata,
} from './message-metadata.entities.js';

const TOTALS_ID = 1;
const EPOCH = new Date(0);

/** One message more. */
export interface Counted {
  readonly message: Omit<Message, 'id'>;
  readonly bytes: number;
  readonly senderPubkey: string;
  readonly now: Date;
}

/**
 * The exact counters. Each is one `SET n = n + 1` on a row that a unique key names, in the transaction that inserts the message.
 * The rows are always locked in the same order, sender, receiver, pair, totals, so that two messages cannot block each other for ever.
 */
@Injectable()
export class CountersRepository {
  /** False when the message is one that was purged: then nothing of it may stay, and the caller rolls back. */
  async count(manager: EntityManager, { message, bytes, senderPubkey, now }: Counted): Promise<boolean> {
    const { sending_sn_pastelid, receiving_sn_pastelid, sending_sn_txid_vout, receiving_sn_txid_vout } = message;
    const atFirst = { timestamp: now };
    const isNewSender = await addTo(manager, MessageSenderMetadata, {
      key: { sending_sn_pastelid },
      amounts: { total_messages_sent: 1, total_data_sent_bytes: bytes },
      newest: { sending_sn_txid_vout, sending_sn_pubkey: senderPubkey },
      atFirst,
    });
    const isNewReceiver = await addTo(manager, MessageReceiverMetadata, {
      key: { receiving_sn_pastelid },
      amounts: { total_messages_received: 1, total_data_received_bytes: bytes },
      newest: { receiving_sn_txid_vout },
      atFirst,
    });
    await addTo(manager, MessageSenderReceiverMetadata, {
      key: { sending_sn_pastelid, receiving_sn_pastelid },
      amounts: { total_messages: 1, total_data_bytes: bytes },
      atFirst,
    });
    return addToTotals(manager, message.timestamp, isNewSender, isNewReceiver, now);
  }

  /** Nothing from before this instant is taken in. */
  async purgedBefore(manager: EntityManager): Promise<Date> {
    return (await manager.findOneBy(MessageMetadata, { id: TOTALS_ID }))?.purged_before ?? EPOCH;
  }

  /** The mark only ever moves forward. */
  async markPurgedBefore(manager: EntityManager, before: Date, now: Date): Promise<void> {
    await makeTotals(manager, now);
    await manager
      .createQueryBuilder()
      .update(MessageMetadata)
      .set({ purged_before: before })
      .where('id = :id AND purged_before < :before', { id: TOTALS_ID, before: before.toISOString() })
      .execute();
  }
}

async function addToTotals(
  manager: EntityManager,
  sent: Date,
  isNewSender: boolean,
  isNewReceiver: boolean,
  now: Date,
): Promise<boolean> {
  const add = async (): Promise<boolean> => {
    const more = (column: string, amount: number) => () => `${column} + ${amount}`;
    const { affected } = await manager
      .createQueryBuilder()
      .update(MessageMetadata)
      .set({
        total_messages: more('total_messages', 1),
        total_senders: more('total_senders', isNewSender ? 1 : 0),
        total_receivers: more('total_receivers', isNewReceiver ? 1 : 0),
      })
      .where('id = :id AND purged_before <= :sent', { id: TOTALS_ID, sent: sent.toISOString() })
      .execute();
    return affected === 1;
  };
  if (await add()) return true;
  await makeTotals(manager, now);
  return add();
}

async function makeTotals(manager: EntityManager, now: Date): Promise<void> {
  const start = { id: TOTALS_ID, total_messages: 0, total_senders: 0, total_receivers: 0, timestamp: now, purged_before: EPOCH };
  await manager.createQueryBuilder().insert().into(MessageMetadata).values(start).orIgnore().execute();
}

/** What is added to the row that `key` names; `newest` is set each time, `atFirst` when the row is made. */
interface Addition<E extends ObjectLiteral> {
  readonly key: FindOptionsWhere<E>;
  readonly amounts: Record<string, number>;
  readonly newest?: object;
  readonly atFirst?: object;
}

/** Adds to a row, making it where it is missing. True when this call was the one that made it. */
async function addTo<E extends ObjectLiteral>(
  manager: EntityManager,
  table: EntityTarget<E>,
  { key, amounts, newest, atFirst }: Addition<E>,
): Promise<boolean> {
  const increments = Object.fromEntries(
    Object.entries(amounts).map(([column, amount]) => [column, () => `${column} + ${amount}`]),
  );
  const add = async (): Promise<number> =>
    (await manager.update(table, key, { ...increments, ...newest } as QueryDeepPartialEntity<E>)).affected ?? 0;
  if ((await add()) > 0) return false;
  const zeros = Object.fromEntries(Object.keys(amounts).map((column) => [column, 0]));
  const row = { ...key, ...zeros, ...newest, ...atFirst } as QueryDeepPartialEntity<E>;
  await manager.createQueryBuilder().insert().into(table).values(row).orIgnore().execute();
  await add();
  const [counter] = Object.keys(amounts) as [string];
  return (await manager.findOneByOrFail(table, key))[counter as keyof E] === (1 as E[keyof E]);
}
