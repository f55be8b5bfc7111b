import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { freePorts } from '../../support/network.js';

export const troubles = [
  'gone',
  '401',
  'warming up',
  'hanging',
  'half a body',
  '10 MB of no JSON',
  '10 MB of JSON',
  'wrong id',
  'reset',
] as const;
export type Trouble = (typeof troubles)[number];

const TEN_MB = 10_000_000;

/** Stands before pasteld and hands everything on, until it is told to be in trouble. */
export class RpcShim {
  trouble: Trouble | undefined;
  private server: Server | undefined;
  private constructor(
    readonly port: number,
    private readonly behind: number,
  ) {}

  static async before(behind: number): Promise<RpcShim> {
    const shim = new RpcShim((await freePorts(1))[0]!, behind);
    await shim.listen();
    return shim;
  }

  /** `gone` closes the port; anything else opens it again. */
  async become(trouble: Trouble | undefined): Promise<void> {
    this.trouble = trouble;
    if (trouble === 'gone') await this.close();
    else await this.listen();
    // Connections that still hang belong to the trouble before.
    this.server?.closeAllConnections();
  }

  private async listen(): Promise<void> {
    if (this.server) return;
    const server = createServer((request, response) => {
      this.serve(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.server = server;
  }
  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    await new Promise<void>((resolve) => {
      if (!server) return resolve();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { id } = JSON.parse(body.toString()) as { id: number };
    switch (this.trouble) {
      case 'gone':
      case 'reset':
        return void request.socket.resetAndDestroy();
      case '401':
        return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="jsonrpc"' }).end();
      case 'warming up':
        return json(response, 500, { result: null, error: { code: -28, message: 'Loading block index...' }, id });
      case 'hanging':
        return;
      case 'half a body': {
        const whole = JSON.stringify({ result: 1234567, error: null, id });
        response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': whole.length });
        response.write(whole.slice(0, whole.length / 2));
        return void setImmediate(() => request.socket.destroy());
      }
      case '10 MB of no JSON':
        return void response.writeHead(200, { 'Content-Type': 'application/json' }).end('x'.repeat(TEN_MB));
      case '10 MB of JSON':
        return json(response, 200, { result: 'x'.repeat(TEN_MB), error: null, id });
      case 'wrong id':
        return json(response, 200, { result: 7, error: null, id: id + 1_000_000 });
      case undefined:
        return this.handOn(request, body, response);
    }
  }
  private handOn(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    return new Promise((resolve, reject) => {
      const { method, url, headers } = request;
      const onward = httpRequest({ host: '127.0.0.1', port: this.behind, method, path: url, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response).on('finish', resolve);
      });
      onward.on('error', reject).end(body);
    });
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
