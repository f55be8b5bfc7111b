import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Transactions } from '#database';
import { ATTEMPTS_MAX, pauseAfter } from './dispatch.service.js';
import { MessageTypes } from './message-types.js';
import { NodeMessenger, type Delivery, type Dispatched } from './node-messenger.js';
import { SingleFlight } from './single-flight.js';
import { relayText } from './user-message.rules.js';
import { UserMessagesRepository } from './user-messages.repository.js';

/** An attempt that nobody finished is taken for dead after this. */
const ATTEMPT_MS_MAX = 120_000;
/** Debts that one sweep looks at. */
const SWEEP_MAX = 100;

/**
 * Hands user messages on to the supernodes near the recipient.
 *
 * 1. Claim the debts of one message that are due; the attempt is counted first.
 * 2. Send it, signed by this node, to all of them at once. A repeat does no harm: receivers know it by sender and id.
 * 3. Strike off what pasteld took; try the rest again later, ten times at most.
 */
@Injectable()
export class UserMessageRelays implements OnModuleDestroy {
  private readonly logger = new Logger(UserMessageRelays.name);
  private readonly flight = new SingleFlight<void>();
  constructor(
    private readonly transactions: Transactions,
    private readonly messages: UserMessagesRepository,
    private readonly messenger: NodeMessenger,
  ) {}

  sweep(now: Date): Promise<void> {
    return this.flight.run(() => this.run(now));
  }
  onModuleDestroy(): Promise<void> {
    return this.flight.close();
  }

  private async run(now: Date): Promise<void> {
    for (const key of await this.messages.messagesWithRelaysDue(now, ATTEMPTS_MAX, SWEEP_MAX)) await this.relay(key, now);
  }

  /** What became of each debt that was due; a failure is a delivery that was not sent, never an error. */
  async relay(messageKey: number, now: Date): Promise<readonly Delivery[]> {
    const until = new Date(now.getTime() + ATTEMPT_MS_MAX);
    const claimed = await this.transactions.run('message relay: attempt counted', (manager) =>
      this.messages.claimRelays(manager, messageKey, now, ATTEMPTS_MAX, until),
    );
    const message = claimed.length > 0 ? await this.messages.byKey(messageKey) : null;
    const { deliveries } = message
      ? await this.send(
          relayText(message),
          claimed.map((relay) => relay.supernode_pastelid),
        )
      : NOTHING_SENT;
    const sent = new Set(deliveries.flatMap((delivery) => (delivery.sent ? [delivery.pastelId] : [])));
    await this.transactions.run('message relay: deliveries noted', async (manager) => {
      for (const { key, attempts, supernode_pastelid } of claimed) {
        if (message === null || sent.has(supernode_pastelid)) await this.messages.relayed(manager, key);
        else await this.messages.relayAgain(manager, key, new Date(now.getTime() + pauseAfter(attempts)));
      }
    });
    return deliveries;
  }

  private async send(text: string, supernodes: readonly string[]): Promise<Pick<Dispatched, 'deliveries'>> {
    try {
      return await this.messenger.sendToMany(MessageTypes.userMessage, text, supernodes);
    } catch (error) {
      const reason = (error as Error).message;
      this.logger.warn(`A user message was not relayed: ${reason}`);
      return { deliveries: supernodes.map((pastelId) => ({ pastelId, sent: false, reason })) };
    }
  }
}

const NOTHING_SENT: Pick<Dispatched, 'deliveries'> = { deliveries: [] };
