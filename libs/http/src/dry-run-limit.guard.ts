import { applyDecorators, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';
import { HttpSettings } from '#config';
import { Clock, Refusal } from '#protocol';
import { ErrorAnswers } from './api-answers.js';
import { clientAddress, isLoopback } from './client-address.js';
import { callerOf, RateLimiter } from './rate-limit.js';

/** How often one address may have this node compute for nobody's account. Calls from this machine are not counted unless `limitLoopback`. */
@Injectable()
class DryRunLimit implements CanActivate {
  private readonly limiter: RateLimiter;
  constructor(
    clock: Clock,
    private readonly settings: HttpSettings,
  ) {
    this.limiter = new RateLimiter(clock, settings.dryRunsPerMinutePerIp);
  }

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const address = clientAddress(http.getRequest<Request>());
    if (!this.settings.limitLoopback && isLoopback(address)) return true;
    const seconds = this.limiter.secondsToWait(callerOf(address));
    if (seconds === 0) return true;
    http.getResponse<Response>().setHeader('Retry-After', seconds);
    throw new Refusal('too-many', `Too many questions of this address: try again in ${seconds} s`);
  }
}

/** For routes that ask for no signature and cost time: a limit of their own, below that of all requests. */
export const DryRunLimited = () => applyDecorators(UseGuards(DryRunLimit), ErrorAnswers(429, 500));
