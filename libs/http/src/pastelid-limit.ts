import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { HttpSettings } from '#config';
import { Clock, Refusal } from '#protocol';
import { clientAddress, isLoopback } from './client-address.js';
import { RateLimiter } from './rate-limit.js';

/**
 * How often one PastelID may call, from whatever addresses. Only calls that it has proven to be its own count: nobody can use
 * up another's share. Calls from this machine are not counted unless `limitLoopback`.
 */
@Injectable()
export class PastelIdLimit {
  private readonly limiter: RateLimiter;
  constructor(
    clock: Clock,
    private readonly settings: HttpSettings,
  ) {
    this.limiter = new RateLimiter(clock, settings.requestsPerMinutePerPastelId);
  }

  /** Throws a `too-many` Refusal, and says in the answer how long to wait. */
  count(pastelId: string, request: Request, response: Response): void {
    if (!this.settings.limitLoopback && isLoopback(clientAddress(request))) return;
    const seconds = this.limiter.secondsToWait(pastelId);
    if (seconds === 0) return;
    response.setHeader('Retry-After', seconds);
    throw new Refusal('too-many', `Too many requests of this PastelID: try again in ${seconds} s`);
  }
}
