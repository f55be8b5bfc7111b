import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Clock, Entropy } from '#protocol';

/** The machine's clock. */
export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }
  override monotonicMs(): number {
    return performance.now();
  }
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    await sleep(ms, undefined, { ...(signal && { signal }) }).catch(() => undefined);
  }
}

/** The machine's cryptographic random source. */
export class SystemEntropy extends Entropy {
  uuid(): string {
    return randomUUID();
  }
  below(limit: number): number {
    return randomInt(limit);
  }
}
