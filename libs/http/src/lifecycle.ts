import { setMaxListeners } from 'node:events';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Gauge } from 'prom-client';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { Leadership } from '#database';
import { Clock, Refusal } from '#protocol';
import { Metrics } from './metrics.js';

/** Answers also while the process stops. */
export const HEALTH_PATH = '/health';
const RETRY_AFTER_SECONDS = 10;

/**
 * Whether this process still takes work, and what it waits for before it goes.
 *
 * 1. Asked to stop, it is not ready any more at once, and takes no new requests; those that only wait for the chain end with 503.
 * 2. What runs may come to its end within a grace.
 * 3. Then everything is closed; what was not done is a row, and goes on at the next start.
 */
@Injectable()
export class Lifecycle implements OnModuleDestroy {
  private readonly stopping = new AbortController();
  private readonly waitedFor: (() => Promise<unknown>)[] = [];
  private requests = 0;
  private onQuiet: (() => void) | undefined;
  private readonly figure: Gauge;
  constructor(
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    // Every call that waits for the chain listens to it.
    setMaxListeners(0, this.stopping.signal);
    this.figure = metrics.gauge('pastel_requests_underway', 'Requests that are served at the moment, this one among them');
  }

  /** Aborts when the process is asked to stop. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }
  get isDraining(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Work beside requests: it hears of the end by {@link signal}, and is waited for within the grace. */
  waitFor(idle: () => Promise<unknown>): void {
    this.waitedFor.push(idle);
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  /** `true` where everything came to its end in time. */
  async drain(graceMs: number): Promise<boolean> {
    this.stopping.abort();
    const done = new AbortController();
    const quiet = Promise.allSettled([this.quiet(), ...this.waitedFor.map((idle) => idle())]).then(() => true);
    const over = this.clock.wait(graceMs, done.signal).then(() => false);
    return Promise.race([quiet, over]).finally(() => done.abort());
  }

  /** Counts the requests that are served, and refuses new ones while the process stops. */
  handler(): RequestHandler {
    return (request: Request, response: Response, next: NextFunction): void => {
      if (request.path.startsWith(HEALTH_PATH)) return next();
      if (this.isDraining) {
        response.setHeader('Connection', 'close').setHeader('Retry-After', RETRY_AFTER_SECONDS);
        return next(new Refusal('unavailable', 'This supernode is stopping'));
      }
      this.figure.set(++this.requests);
      response.once('close', () => {
        this.figure.set(--this.requests);
        if (this.requests === 0) this.onQuiet?.();
      });
      next();
    };
  }

  private quiet(): Promise<void> {
    if (this.requests === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onQuiet = resolve;
    });
  }
}

/** Stops a node: `true` where nothing had to be cut off. */
export async function drainAndClose(app: NestExpressApplication, graceMs: number): Promise<boolean> {
  const draining = app.get(Lifecycle).drain(graceMs);
  // Another process goes on with the scheduled work while this one comes to its end.
  await app.get(Leadership).resign();
  const isDrained = await draining;
  if (!isDrained) app.getHttpServer().closeAllConnections();
  await app.close();
  return isDrained;
}
