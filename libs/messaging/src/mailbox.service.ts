import { Injectable } from '@nestjs/common';
import { Clock, Entropy, Signing } from '#protocol';
import { MessageTypes } from './message-types.js';
import type { UserMessage } from './user-message.entities.js';
import { UserMessageRelays } from './user-message.relay.js';
import { relayText, type SignedUserMessage } from './user-message.rules.js';
import { UserMessagesService } from './user-messages.service.js';
import { UserMessagesRepository } from './user-messages.repository.js';

/** As the later clients know it; `timestamp` ends in Z. */
export interface UserMessageView {
  readonly id: string;
  readonly timestamp: string;
  readonly from_pastelid: string;
  readonly to_pastelid: string;
  readonly message_body: string;
  readonly message_signature: string;
}
/** As the first dialect knows it. */
export interface FirstUserMessageView extends UserMessageView {
  readonly signature: string;
}

/**
 * The answer to a message that was taken. `id` is the answer's own: clients store the answers of three supernodes under it, and
 * it must differ (clients spec 7). The message's id, the same everywhere, is `user_message.id`.
 */
export interface TakenUserMessage extends UserMessageView {
  readonly message: string;
  readonly message_type: string;
  readonly sending_sn_pastelid: string;
  /** Of this node, over the text that it relays. */
  readonly signature: string;
  readonly user_message: FirstUserMessageView;
  readonly deliveries: readonly { readonly receiving_sn_pastelid: string; readonly sent: boolean }[];
}

export const PAGE_MAX = 1000;
export interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** What users see of their messages. */
@Injectable()
export class MailboxService {
  constructor(
    private readonly users: UserMessagesService,
    private readonly relays: UserMessageRelays,
    private readonly messages: UserMessagesRepository,
    private readonly signing: Signing,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /** Relays at once what it owes; what cannot be sent now is sent later, and is no reason to refuse. */
  async send(given: SignedUserMessage & { readonly id?: string }): Promise<TakenUserMessage> {
    const stored = await this.users.accept(given);
    const deliveries = await this.relays.relay(stored.key, this.clock.now());
    return {
      ...viewOf(stored),
      id: this.entropy.uuid(),
      message: stored.message_body,
      message_type: MessageTypes.userMessage,
      sending_sn_pastelid: this.signing.pastelId,
      signature: await this.signing.sign(relayText(stored)),
      user_message: firstViewOf(stored),
      deliveries: deliveries.map(({ pastelId, sent }) => ({ receiving_sn_pastelid: pastelId, sent })),
    };
  }

  /** Sent and received, oldest first; where the page says nothing (0, 0), the newest thousand. */
  async of(pastelId: string, page: Page): Promise<UserMessageView[]> {
    return (await this.rows(pastelId, page)).map(viewOf);
  }
  async firstDialectOf(pastelId: string, page: Page): Promise<FirstUserMessageView[]> {
    return (await this.rows(pastelId, page)).map(firstViewOf);
  }
  private rows(pastelId: string, { limit, offset }: Page): Promise<UserMessage[]> {
    if (limit === 0 && offset === 0) return this.messages.newestOf(pastelId, PAGE_MAX);
    return this.messages.of(pastelId, { limit: limit || PAGE_MAX, offset });
  }
}

const viewOf = ({
  id,
  timestamp,
  from_pastelid,
  to_pastelid,
  message_body,
  message_signature,
}: UserMessage): UserMessageView => ({
  id,
  timestamp: timestamp.toISOString(),
  from_pastelid,
  to_pastelid,
  message_body,
  message_signature,
});
const firstViewOf = (row: UserMessage): FirstUserMessageView => ({ ...viewOf(row), signature: row.message_signature });
