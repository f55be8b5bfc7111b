import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a vendor sees it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** Address and body, where no key may stand. */
  readonly address: string;
}
export type Answer = (request: SeenRequest, response: ServerResponse, socketClosed: Promise<void>) => void;

/** Stands in the place of every vendor in turn; `answer` says how it behaves. */
export class VendorServer {
  seen: SeenRequest[] = [];
  answer: Answer = (_, response) => response.writeHead(500).end();
  private readonly server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    const closed = new Promise<void>((resolve) => response.once('close', resolve));
    request.once('end', () => {
      const url = new URL(request.url!, 'http://vendor');
      const seen: SeenRequest = {
        method: request.method!,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        body: Buffer.concat(pieces),
        address: request.url!,
      };
      this.seen.push(seen);
      this.answer(seen, response, closed);
    });
  });

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
