import { Injectable } from '@nestjs/common';

/** A message that passed every check and is stored. Its sender signed `text`, and nothing else of it (messaging spec 10.2, line 24). */
export interface ReceivedMessage {
  /** pasteld's hash of sender, receiver, time and text: the same message always has the same one. */
  readonly id: string;
  readonly type: string;
  readonly text: string;
  readonly signature: string;
  /** The PastelID that the supernode list gives for the sending node. */
  readonly senderPastelId: string;
  readonly senderOutpoint: string;
  readonly receiverPastelId: string;
  readonly receiverOutpoint: string;
  /** The sender's clock, whole seconds. */
  readonly sentAt: Date;
}

/** What a feature does with messages of its types. */
export abstract class MessageHandler {
  abstract readonly types: readonly string[];
  /**
   * Called after the message is stored, at least once: twice is possible after a crash, so repeats must do no harm.
   * An error is logged and the call repeated later, a limited number of times; a message that is merely bad is not an error.
   * Calls to others need time-outs of their own: the next message waits.
   */
  abstract handle(message: ReceivedMessage): Promise<void>;
}

/** Where features say what they handle, in their `onModuleInit`: messaging knows none of them. */
@Injectable()
export class MessageHandlers {
  private readonly byType = new Map<string, MessageHandler[]>();

  register(handler: MessageHandler): void {
    for (const type of handler.types) {
      const known = this.byType.get(type) ?? [];
      if (!known.includes(handler)) this.byType.set(type, [...known, handler]);
    }
  }
  of(type: string): readonly MessageHandler[] {
    return this.byType.get(type) ?? [];
  }
}
