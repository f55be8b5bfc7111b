import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { SupernodeNetwork } from '#chain';
import { Transactions } from '#database';
import { Checking, Clock, Entropy, Refusal, Signing } from '#protocol';
import { MessageHandler, MessageHandlers, type ReceivedMessage } from './message-handlers.js';
import { MessageTypes } from './message-types.js';
import type { UserMessage } from './user-message.entities.js';
import {
  readRelayText,
  relaysFor,
  signedForms,
  type IdentifiedUserMessage,
  type SignedForm,
  type SignedUserMessage,
} from './user-message.rules.js';
import { UserMessagesRepository } from './user-messages.repository.js';

/** Keeps user messages once each, wherever they come from. */
@Injectable()
export class UserMessageKeeper {
  constructor(
    private readonly transactions: Transactions,
    private readonly messages: UserMessagesRepository,
    private readonly checking: Checking,
  ) {}

  /** Which of the texts that clients sign was signed (messaging spec 5.2); undefined when the signature is good for none. */
  async signedForm(message: SignedUserMessage): Promise<SignedForm | undefined> {
    for (const [form, text] of signedForms(message)) {
      if (await this.checking.verify(message.from_pastelid, text, message.message_signature)) return form;
    }
    return undefined;
  }

  /** Stores the message and, when it is new, the debts to `relays`, in one transaction. */
  keep(
    message: IdentifiedUserMessage,
    signed_form: SignedForm,
    relayed_by: string | null,
    relays: readonly string[],
    now: Date,
  ): Promise<UserMessage> {
    return this.transactions.run('user message: message stored', async (manager) => {
      const { stored, isNew } = await this.messages.keep(manager, { ...message, signed_form, relayed_by });
      if (isNew) await this.messages.oweRelays(manager, stored.key, relays, now);
      return stored;
    });
  }
}

/**
 * A user brings a message for another (messaging spec 5.3, 5.5):
 * 1. The signature must be the sender's, over one of the three forms that clients sign.
 * 2. The supernodes closest to the recipient get it; this one, where it is among them, has it already.
 * 3. Message and debts to the others are stored in one transaction. The same sender's same id is a repeat, and changes nothing.
 */
@Injectable()
export class UserMessagesService {
  constructor(
    private readonly keeper: UserMessageKeeper,
    private readonly network: SupernodeNetwork,
    private readonly signing: Signing,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /** Throws Refusal('bad-request') for a wrong signature, Refusal('conflict') for other words under a known id. */
  async accept(given: SignedUserMessage & { readonly id?: string }): Promise<UserMessage> {
    const now = this.clock.now();
    // 1
    const form = await this.keeper.signedForm(given);
    if (form === undefined)
      throw new Refusal('bad-request', 'The signature of the message is not that of from_pastelid over message_body');
    // 2
    const listed = (await this.network.list()).flatMap(({ pastelId }) => pastelId ?? []);
    const relays = relaysFor(given.to_pastelid, listed).filter((pastelId) => pastelId !== this.signing.pastelId);
    // 3
    const { from_pastelid, to_pastelid, message_body, message_signature } = given;
    const message = {
      from_pastelid,
      to_pastelid,
      message_body,
      message_signature,
      id: given.id?.toLowerCase() ?? this.entropy.uuid(),
      timestamp: now,
    };
    const stored = await this.keeper.keep(message, form, null, relays, now);
    const isSame =
      stored.message_body === message_body &&
      stored.to_pastelid === to_pastelid &&
      stored.message_signature === message_signature;
    if (!isSame) throw new Refusal('conflict', 'from_pastelid has sent another message under this id');
    return stored;
  }
}

/** User messages that other supernodes relay to this one. A bad one is logged and forgotten: asking again would not make it better. */
@Injectable()
export class UserMessageHandler extends MessageHandler implements OnModuleInit {
  override readonly types = [MessageTypes.userMessage];
  private readonly logger = new Logger(UserMessageHandler.name);
  constructor(
    private readonly handlers: MessageHandlers,
    private readonly keeper: UserMessageKeeper,
  ) {
    super();
  }
  onModuleInit(): void {
    this.handlers.register(this);
  }

  override async handle(received: ReceivedMessage): Promise<void> {
    const message = readRelayText(received.text, received.sentAt);
    const form = message && (await this.keeper.signedForm(message));
    if (form === undefined)
      return this.logger.warn(`Message ${received.id} of ${received.senderPastelId} holds no signed user message`);
    await this.keeper.keep(message!, form, received.senderPastelId, [], received.sentAt);
  }
}
