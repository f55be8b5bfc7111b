import { Clock } from '#protocol';

interface Waiter {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock whose hands only the test moves; who waits wakes when its time has come. */
export class ManualClock extends Clock {
  private waiters: Waiter[] = [];
  private passedMs = 0;
  constructor(private instant = Date.parse('2026-01-05T12:00:00Z')) {
    super();
  }

  now(): Date {
    return new Date(this.instant);
  }

  override monotonicMs(): number {
    return this.passedMs;
  }

  /** How many wait for it. */
  get waiting(): number {
    return this.waiters.length;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        this.waiters = this.waiters.filter((other) => other !== waiter);
        resolve();
      };
      const waiter = { at: this.passedMs + ms, wake };
      this.waiters.push(waiter);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Somebody sets it, forwards or back; no time passes. */
  set(ms: number): void {
    this.instant += ms;
  }

  advance(ms: number): void {
    this.instant += ms;
    this.passedMs += ms;
    const due = this.waiters.filter(({ at }) => at <= this.passedMs);
    this.waiters = this.waiters.filter(({ at }) => at > this.passedMs);
    for (const { wake } of due) wake();
  }
}
