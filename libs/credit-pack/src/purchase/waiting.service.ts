import { Injectable, Logger } from '@nestjs/common';
import { ChainUnavailable } from '#chain';
import { Lifecycle } from '#http';
import { Clock, Refusal } from '#protocol';
import { SingleFlight } from '../single-flight.js';

const PAUSE_MS = 1000;
/** Clients give a confirmation at least 1800 s (credit-packs spec 3.2); the answer has to leave before. */
const WAIT_MS_MAX = 1500_000;
const STOPPING = 'This supernode is stopping; the purchase goes on when it is back: send the same message again';

/** Holds a call open until its answer is there (credit-packs spec 5.6). Callers with the same key wait together. */
@Injectable()
export class Waiting {
  private readonly logger = new Logger(Waiting.name);
  private readonly flights = new SingleFlight<unknown>();

  constructor(
    private readonly clock: Clock,
    private readonly lifecycle: Lifecycle,
  ) {}

  /** Calls `look` until it gives something. A chain that does not answer is waited for; the same message again goes on waiting. */
  until<T>(key: string, look: () => Promise<T | undefined>): Promise<T> {
    return this.flights.run(key, () => this.patiently(look)) as Promise<T>;
  }

  private async patiently<T>(look: () => Promise<T | undefined>): Promise<T> {
    const endsAt = this.clock.monotonicMs() + WAIT_MS_MAX;
    const { signal } = this.lifecycle;
    while (!signal.aborted && this.clock.monotonicMs() < endsAt) {
      const found = await look().catch((error: unknown) => {
        if (!isPassing(error)) throw error;
        this.logger.warn((error as Error).message);
        return undefined;
      });
      if (found !== undefined) return found;
      await this.clock.wait(PAUSE_MS, signal);
    }
    throw new Refusal(
      'unavailable',
      signal.aborted ? STOPPING : 'Not decided yet, and nothing is lost: send the same message again',
    );
  }
}

/** Nothing is known at the moment: the chain does not answer, or this node is still reading it. */
const isPassing = (error: unknown): boolean =>
  error instanceof ChainUnavailable || (error instanceof Refusal && error.code === 'unavailable');
