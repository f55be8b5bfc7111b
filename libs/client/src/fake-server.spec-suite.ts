import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readJson, writeJson, type JsonObject } from '#protocol';

export interface FakeCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: JsonObject;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}
/** An object is printed as JSON with 200; `{ status, text }` as it is; `silence` leaves the caller waiting. */
export type FakeAnswer = object | string | boolean | null | { readonly status: number; readonly text: string };
export const silence = Symbol('silence');
export type Routes = Record<string, (call: FakeCall) => FakeAnswer | typeof silence | Promise<FakeAnswer | typeof silence>>;

/** A server on this machine that answers `METHOD /path` by the longest matching prefix of its routes. */
export async function serve(
  routes: Routes,
): Promise<{ url: string; port: number; calls: FakeCall[]; close: () => Promise<void> }> {
  const calls: FakeCall[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
      const method = request.method ?? '';
      const call: FakeCall = {
        method,
        path: pathname,
        query: searchParams,
        body: text === '' ? {} : (readJson(text) as JsonObject),
        request,
        response,
      };
      calls.push(call);
      const name = Object.keys(routes)
        .filter((route) => `${method} ${pathname}`.startsWith(route))
        .sort((a, b) => b.length - a.length)[0];
      const answer = name === undefined ? { status: 404, text: '{"detail":"Not Found"}' } : await routes[name]!(call);
      if (answer === silence || response.destroyed) return;
      const plain =
        typeof answer === 'object' &&
        answer !== null &&
        'status' in answer &&
        'text' in answer &&
        typeof answer.status === 'number';
      response.writeHead(plain ? (answer.status as number) : 200, { 'Content-Type': 'application/json' });
      response.end(plain ? String(answer.text) : writeJson(answer));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}`, port, calls, close };
}
