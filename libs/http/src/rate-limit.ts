import { isIPv6 } from 'node:net';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { Refusal, type Clock } from '#protocol';
import { clientAddress, isLoopback } from './client-address.js';

/** Callers remembered; beyond, the one that was quiet for longest is forgotten. */
const CALLERS_MAX = 10_000;
const MS_PER_MINUTE = 60_000;

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** Token buckets: each caller may send `perMinute` requests at once, and gains them back evenly over a minute. */
export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>();
  constructor(
    private readonly clock: Clock,
    private readonly perMinute: number,
    private readonly callersMax = CALLERS_MAX,
  ) {}

  /** 0 when the request may pass, else how many seconds to wait. */
  secondsToWait(caller: string): number {
    const nowMs = this.clock.monotonicMs();
    const bucket = this.buckets.get(caller) ?? { tokens: this.perMinute, filledAtMs: nowMs };
    const elapsedMs = nowMs - bucket.filledAtMs;
    bucket.tokens = Math.min(this.perMinute, bucket.tokens + (elapsedMs * this.perMinute) / MS_PER_MINUTE);
    bucket.filledAtMs = nowMs;
    this.remember(caller, bucket);
    if (bucket.tokens < 1) return Math.max(1, Math.ceil(((1 - bucket.tokens) * 60) / this.perMinute));
    bucket.tokens -= 1;
    return 0;
  }

  get size(): number {
    return this.buckets.size;
  }

  private remember(caller: string, bucket: Bucket): void {
    this.buckets.delete(caller);
    if (this.buckets.size >= this.callersMax) this.buckets.delete(this.buckets.keys().next().value!);
    this.buckets.set(caller, bucket);
  }
}

/** Someone with IPv6 has a whole /64 to call from. */
export const callerOf = (address: string): string => (isIPv6(address) ? prefix64(address) : address);
function prefix64(address: string): string {
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array<string>(zeros).fill('0'), ...right]
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}

/** 429 with Retry-After for whoever asks too often. Calls from this machine are not counted unless `limitLoopback`. */
export function rateLimit(limiter: RateLimiter, limitLoopback: boolean): RequestHandler {
  return (request: Request, response: Response, next: NextFunction): void => {
    const address = clientAddress(request);
    const seconds = !limitLoopback && isLoopback(address) ? 0 : limiter.secondsToWait(callerOf(address));
    if (seconds === 0) return next();
    response.setHeader('Retry-After', seconds);
    next(new Refusal('too-many', `Too many requests: try again in ${seconds} s`));
  };
}
