import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RunningSupernode } from '../../support/network.js';

/** A request as it came, and what was answered. */
export interface Recorded {
  /** Of the supernode that was asked. */
  readonly user: string;
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly body: string;
  readonly status: number;
  readonly answer: string;
}

/** Writes down what a node is asked and answers, before anything looks at it. Gives the end of that. */
export function record(node: RunningSupernode, into: Recorded[]): () => void {
  const server = node.app.getHttpServer();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const [asked, answered] = [heard(request), said(response)];
    response.once('finish', () => {
      const { method = '', url = '' } = request;
      into.push({ user: node.user, method, url, body: asked(), status: response.statusCode, answer: answered() });
    });
  };
  server.prependListener('request', listener);
  return () => void server.off('request', listener);
}

function heard(request: IncomingMessage): () => string {
  const chunks: Buffer[] = [];
  const emit = request.emit.bind(request) as (event: string | symbol, ...given: unknown[]) => boolean;
  request.emit = (event: string | symbol, ...given: unknown[]): boolean => {
    if (event === 'data') chunks.push(given[0] as Buffer);
    return emit(event, ...given);
  };
  return () => Buffer.concat(chunks).toString();
}
function said(response: ServerResponse): () => string {
  const chunks: Buffer[] = [];
  const keep = (chunk: unknown): void => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk as Uint8Array));
  };
  const write = response.write.bind(response) as (...given: unknown[]) => boolean;
  response.write = ((...given: unknown[]) => {
    keep(given[0]);
    return write(...given);
  }) as typeof response.write;
  const end = response.end.bind(response) as (...given: unknown[]) => ServerResponse;
  response.end = ((...given: unknown[]) => {
    keep(given[0]);
    return end(...given);
  }) as typeof response.end;
  return () => Buffer.concat(chunks).toString();
}
