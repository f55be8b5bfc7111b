import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Transactions } from '#database';
import type { MessageDispatch } from './inbox.entities.js';
import { MessageHandlers } from './message-handlers.js';
import { MessagesRepository } from './messages.repository.js';
import { SingleFlight } from './single-flight.js';

/** Claimed together: few enough to be done before another process takes the attempt for dead. */
const BATCH_MAX = 20;
/** A sweep that finds more leaves the rest to the next one. */
const BATCHES_MAX = 50;
/** For handlers and relays alike. */
export const ATTEMPTS_MAX = 10;
/** An attempt that nobody finished is taken for dead after this. */
const ATTEMPT_MS_MAX = 120_000;

/** 5 s, 10 s, 20 s ... 20 min. */
export const pauseAfter = (attempts: number): number => Math.min(5_000 * 2 ** (attempts - 1), 20 * 60_000);

/**
 * Tells handlers of stored messages.
 *
 * 1. Claim a batch of those that are due, oldest first, which counts the attempt; other processes pass them over.
 * 2. Call every handler of its type.
 * 3. All well: strike the debt off. Else note the error and try again later; after ten attempts nobody tries any more, and the row stays as evidence.
 */
@Injectable()
export class DispatchService implements OnModuleDestroy {
  private readonly logger = new Logger(DispatchService.name);
  private readonly flight = new SingleFlight<number>();
  constructor(
    private readonly transactions: Transactions,
    private readonly messages: MessagesRepository,
    private readonly handlers: MessageHandlers,
  ) {}

  /** How many were handled. One sweep at a time. */
  sweep(now: Date): Promise<number> {
    return this.flight.run(() => this.run(now));
  }
  onModuleDestroy(): Promise<void> {
    return this.flight.close();
  }

  private async run(now: Date): Promise<number> {
    let handled = 0;
    for (let batches = 0; batches < BATCHES_MAX && !this.flight.isClosing; batches++) {
      const claim = { attemptsMax: ATTEMPTS_MAX, limit: BATCH_MAX, until: new Date(now.getTime() + ATTEMPT_MS_MAX) };
      const claimed = await this.transactions.run('message dispatch: attempt counted', (manager) =>
        this.messages.claimDispatches(manager, now, claim),
      );
      if (claimed.length === 0) break;
      for (const one of claimed) if (await this.attempt(one, now)) handled++;
    }
    return handled;
  }

  private async attempt({ pasteld_message_hash: id, attempts }: MessageDispatch, now: Date): Promise<boolean> {
    const message = await this.messages.received(id);
    const errors: string[] = [];
    for (const handler of message ? this.handlers.of(message.type) : []) {
      try {
        await handler.handle(message!);
      } catch (error) {
        errors.push((error as Error | null)?.message ?? String(error));
      }
    }
    if (errors.length === 0) {
      await this.transactions.run('message dispatch: handled noted', (manager) => this.messages.dispatched(manager, id));
      return true;
    }
    this.logger.error(`Message ${id} (${message!.type}): attempt ${attempts} of ${ATTEMPTS_MAX} failed: ${errors.join('; ')}`);
    const again = new Date(now.getTime() + pauseAfter(attempts));
    await this.transactions.run('message dispatch: failure noted', (manager) =>
      this.messages.dispatchFailed(manager, id, errors.join('; '), again),
    );
    return false;
  }
}
