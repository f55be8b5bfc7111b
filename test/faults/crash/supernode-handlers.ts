import { MessageHandler, type ReceivedMessage } from '#messaging';

/** The type of messages that the patient's own handler fails at, each at its first try. */
export const FAILS_ONCE = 'fails_once';

export class FailingOnce extends MessageHandler {
  override readonly types = [FAILS_ONCE];
  private readonly seen = new Set<string>();
  override async handle({ id }: ReceivedMessage): Promise<void> {
    if (this.seen.has(id)) return;
    this.seen.add(id);
    throw new Error('on purpose');
  }
}
