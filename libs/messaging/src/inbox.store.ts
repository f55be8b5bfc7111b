import { Injectable, Logger } from '@nestjs/common';
import type { MasternodeMessage } from '#chain';
import { Transactions } from '#database';
import { CountersRepository } from './counters.repository.js';
import type { Judged } from './inbox.judge.js';
import { storableSeconds } from './inbox.rules.js';
import { MessageHandlers } from './message-handlers.js';
import { MessagesRepository } from './messages.repository.js';

/** Writes down what became of an inbox item; one transaction each, so that a crash leaves an item untouched or wholly settled. */
@Injectable()
export class InboxStore {
  private readonly logger = new Logger(InboxStore.name);
  constructor(
    private readonly transactions: Transactions,
    private readonly messages: MessagesRepository,
    private readonly counters: CountersRepository,
    private readonly handlers: MessageHandlers,
  ) {}

  /** Nothing from before this instant is taken in: it was purged. */
  purgedBefore(): Promise<Date> {
    return this.counters.purgedBefore(this.transactions.reader);
  }

  /** The message, the counters and the debt to its handlers. `repeat` when another process was faster. */
  async keep({ message, bytes, senderPubkey }: Extract<Judged, { message: object }>, now: Date): Promise<'stored' | 'repeat'> {
    try {
      return await this.transactions.run<'stored'>('message sweep: message stored', async (manager) => {
        await this.messages.insert(manager, message);
        if (!(await this.counters.count(manager, { message, bytes, senderPubkey, now }))) throw new PurgedMeanwhile();
        if (this.handlers.of(message.message_type).length > 0)
          await this.messages.oweDispatch(manager, message.pasteld_message_hash, now);
        return 'stored';
      });
    } catch (error) {
      if (error instanceof PurgedMeanwhile || (await this.messages.isStored(message.pasteld_message_hash))) return 'repeat';
      throw error;
    }
  }

  async reject(item: MasternodeMessage, reason: string, now: Date): Promise<void> {
    const rejected = {
      id: item.id,
      reason: reason.slice(0, 500),
      sending_sn_txid_vout: item.from,
      sent_at_seconds: storableSeconds(item.timestamp),
      rejected_at: now,
    };
    await this.transactions.run('message sweep: rejection stored', (manager) => this.messages.reject(manager, rejected));
    this.logger.warn(`Inbox item ${item.id} from ${item.from} is no message: ${rejected.reason}`);
  }

  /** These are settled now, and wait no longer. */
  async forgetDeferred(ids: readonly string[]): Promise<void> {
    await this.transactions.run('message sweep: deferred forgotten', (manager) => this.messages.forgetDeferred(manager, ids));
  }

  async defer(waiting: readonly Waiting[], now: Date): Promise<void> {
    const rows = waiting.map(({ item }) => ({ id: item.id, sent_at_seconds: storableSeconds(item.timestamp), deferred_at: now }));
    await this.transactions.run('message sweep: deferral stored', (manager) => this.messages.defer(manager, rows));
    for (const { item, why } of waiting) this.logger.warn(`Inbox item ${item.id} waits: ${why}`);
  }
}

export interface Waiting {
  readonly item: MasternodeMessage;
  readonly why: string;
}

/** Rolls the insert back: a purge took the message away between our look and our write. */
class PurgedMeanwhile extends Error {}
