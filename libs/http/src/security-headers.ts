import type { NextFunction, Request, RequestHandler, Response } from 'express';
import helmet, { type HelmetOptions } from 'helmet';

const NOTHING = ["'none'"];
const OWN = ["'self'"];

const options = (directives: Record<string, readonly string[]>): HelmetOptions => ({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: NOTHING,
      baseUri: NOTHING,
      formAction: NOTHING,
      frameAncestors: NOTHING,
      ...directives,
    },
  },
  xFrameOptions: { action: 'deny' },
  // Peers and many clients speak plain HTTP to this port; the TLS proxy in front of it says whether its name is for TLS alone.
  strictTransportSecurity: false,
});

/**
 * What a browser may do with an answer: by default nothing but read it. The page of the documentation runs its own files, and styles that stand
 * in it. Pages with more of their own, such as the log, say so themselves.
 *
 * @param documentation path of that page and below
 */
export function securityHeaders(documentation: string): RequestHandler {
  const plain = helmet(options({}));
  const ofDocumentation = helmet(
    options({ scriptSrc: OWN, styleSrc: [...OWN, "'unsafe-inline'"], imgSrc: [...OWN, 'data:'], connectSrc: OWN }),
  );
  return (request: Request, response: Response, next: NextFunction): void => {
    const { path } = request;
    const isDocumentation = path === '/' || path === documentation || path.startsWith(`${documentation}/`);
    (isDocumentation ? ofDocumentation : plain)(request, response, next);
  };
}
