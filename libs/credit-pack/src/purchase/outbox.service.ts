import { Injectable, Logger } from '@nestjs/common';
import { Clock, Entropy, writeJson, type Json, readJson } from '#protocol';
import { OutgoingAnnouncement, type AnnouncementLine } from './outbox.entity.js';
import { OutboxRepository } from './outbox.repository.js';
import { PurchasePeers } from '../peers/purchase-peers.js';
import { SingleFlight } from '../single-flight.js';

/** Pauses after each failed attempt; a message that is older than these is refused by peers anyhow. */
const PAUSES_MS = [5_000, 20_000, 60_000, 300_000] as const;
const PAUSE_MS_MAX = Math.max(...PAUSES_MS);
const BATCH = 100;
const AT_ONCE = 8;

/** Delivers what a step owes to peers, in the background: a dead peer never delays an answer (W22). */
@Injectable()
export class Outbox {
  private readonly logger = new Logger(Outbox.name);
  private readonly flights = new SingleFlight<void>();

  constructor(
    private readonly repository: OutboxRepository,
    private readonly peers: PurchasePeers,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /** Rows to be stored in the transaction of the step. */
  compose(line: AnnouncementLine, message: object, messageHash: string, recipients: readonly string[]): OutgoingAnnouncement[] {
    const text = writeJson(message);
    const dueAt = this.clock.now().getTime();
    return [...new Set(recipients)].map((recipient) =>
      Object.assign(new OutgoingAnnouncement(), {
        id: this.entropy.uuid(),
        line,
        messageHash,
        recipient,
        text,
        attempts: 0,
        dueAt,
      }),
    );
  }

  /** Delivers now, without making anybody wait. */
  kick(): void {
    this.deliver(this.clock.now()).catch((error: unknown) => this.logger.error(error));
  }

  /** One bounded round; what comes meanwhile waits for the next. */
  deliver(now: Date): Promise<void> {
    return this.flights.run('round', async () => {
      let left = BATCH;
      const work = async (): Promise<void> => {
        while (left-- > 0) {
          const due = { nowMs: now.getTime(), pauseMsMax: PAUSE_MS_MAX };
          const announcement = await this.repository.claim(due, (attempts) => this.afterPause(attempts));
          if (!announcement) return;
          await this.attempt(announcement);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    });
  }

  /** Long enough that nobody takes it again while it is being delivered. */
  private afterPause(attempts: number): number {
    return this.clock.now().getTime() + (PAUSES_MS[attempts] ?? PAUSE_MS_MAX);
  }

  private async attempt(announcement: OutgoingAnnouncement): Promise<void> {
    const { line, recipient, attempts, text } = announcement;
    try {
      await this.peers.announce(recipient, line, readJson(text) as Json & object);
      await this.repository.remove(announcement);
    } catch (error) {
      const isLast = attempts >= PAUSES_MS.length;
      this.logger.warn(`${line} to ${recipient} ${isLast ? 'given up' : 'not delivered'}: ${(error as Error).message}`);
      if (isLast) await this.repository.remove(announcement);
    }
  }
}
