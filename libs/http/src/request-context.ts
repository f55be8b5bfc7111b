import { AsyncLocalStorage } from 'node:async_hooks';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Entropy } from '#protocol';

const requests = new AsyncLocalStorage<string>();

/** The id of the HTTP request that is being served; undefined in scheduled work. For the log. */
export const currentRequestId = (): string | undefined => requests.getStore();

/** Gives each request an id, or keeps the one a proxy gave it, and says it in `X-Request-Id`. */
export function requestContext(entropy: Entropy): RequestHandler {
  return (request: Request, response: Response, next: NextFunction): void => {
    const given = request.headers['x-request-id'];
    const id = typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : entropy.uuid();
    response.setHeader('X-Request-Id', id);
    requests.run(id, next);
  };
}
