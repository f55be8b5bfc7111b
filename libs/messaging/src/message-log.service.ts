import { Injectable } from '@nestjs/common';
import { Clock, pythonTimestamp } from '#protocol';
import { MessagesRepository } from './messages.repository.js';
import { NodeMessenger, type Delivery, type Dispatched } from './node-messenger.js';

/** As `GET /get_messages` shows a message (messaging spec 4.7). */
export interface MessageView {
  readonly message: string;
  readonly message_type: string;
  readonly sending_sn_pastelid: string;
  readonly timestamp: string;
}
/** The original's answer to a sent message; `deliveries` says what became of each copy. */
export interface SendMessageResponse {
  readonly status: 'success' | 'error';
  readonly message: string;
  readonly deliveries: readonly Delivery[];
}

/** How many messages one call shows. */
export const MESSAGES_SHOWN_MAX = 10_000;

/** The operator's side of messages between supernodes. */
@Injectable()
export class MessageLogService {
  constructor(
    private readonly messenger: NodeMessenger,
    private readonly messages: MessagesRepository,
    private readonly clock: Clock,
  ) {}

  async send(text: string, type: string, receiver: string): Promise<SendMessageResponse> {
    return answerTo(await this.messenger.sendTo(receiver, type, text), 'Message sent', 'Error sending message');
  }
  /** To all other supernodes where no receivers are named. */
  async broadcast(text: string, type: string, receivers?: readonly string[]): Promise<SendMessageResponse> {
    const dispatched = receivers
      ? await this.messenger.sendToMany(type, text, receivers)
      : await this.messenger.broadcast(type, text);
    return answerTo(dispatched, 'Message broadcasted', 'Error broadcasting message');
  }

  /** Newest first; `all` stands for every type. */
  async recent(minutes: number, type: string, page: { limit: number; offset: number }): Promise<MessageView[]> {
    const since = new Date(Math.max(0, this.clock.now().getTime() - minutes * 60_000));
    const messages = await this.messages.since(since, type === 'all' ? undefined : type, page);
    return messages.map(({ text, type: message_type, senderPastelId, sentAt }) => ({
      message: text,
      message_type,
      sending_sn_pastelid: senderPastelId,
      timestamp: pythonTimestamp(sentAt),
    }));
  }
}

/** A failure answers 200 as well, as in the original; unlike there, one failed copy does not hide the others (4.6). */
function answerTo({ text, deliveries }: Dispatched, success: string, failure: string): SendMessageResponse {
  const failed = deliveries.flatMap((delivery) => (delivery.sent ? [] : [`${delivery.pastelId}: ${delivery.reason}`]));
  if (failed.length === 0) return { status: 'success', message: `${success}: ${text}`, deliveries };
  return {
    status: 'error',
    message: `${failure}: ${failed.length} of ${deliveries.length} not sent (${failed.join('; ')})`,
    deliveries,
  };
}
