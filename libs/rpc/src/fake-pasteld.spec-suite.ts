import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Clock } from '#protocol';
import { JsonRpcClient, type JsonRpcOptions } from './json-rpc.client.js';

export interface FakeRpcCall {
  /** With its sub-commands, for `Answers` to be keyed by. */
  readonly method: string;
  readonly params: readonly unknown[];
  readonly text: string;
  readonly request: IncomingMessage;
}
export const raw = (status: number, text: string) => ({ status, text }) as const;
export const refusal = (code: number, message: string, status = 500) =>
  raw(status, JSON.stringify({ result: null, error: { code, message }, id: null }));
/** `hang` never answers, `drop` cuts the line. */
export const hang = Symbol('hang');
export const drop = Symbol('drop');
/** A function, or a list of which each call takes the next and the last stays; JSON text may be given through `raw`. */
export type Answers = Record<string, (call: FakeRpcCall) => unknown>;

/** Answers like pasteld, from a table of methods (the longest name that fits counts). */
export async function fakePasteld(answers: Answers) {
  const calls: FakeRpcCall[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const { id, method, params } = JSON.parse(text) as { id: number; method: string; params: unknown[] };
      const words = [method, ...params.slice(0, 2)].map(String);
      const name = [words.join(' '), words.slice(0, 2).join(' '), method].find((candidate) => candidate in answers);
      const call: FakeRpcCall = {
        method: name ?? method,
        params: name === undefined ? params : params.slice(name.split(' ').length - 1),
        text,
        request,
      };
      calls.push(call);
      const answer: unknown = name === undefined ? refusal(-32601, 'Method not found', 404) : await answers[name]!(call);
      if (answer === hang) return;
      if (answer === drop) return void request.socket.destroy();
      const plain = answer as { status?: number; text?: string } | null;
      const isRaw =
        typeof plain === 'object' && plain !== null && typeof plain.status === 'number' && typeof plain.text === 'string';
      response.writeHead(isRaw ? plain.status! : 200, { 'Content-Type': 'application/json' });
      response.end(isRaw ? plain.text : `${JSON.stringify({ result: answer, error: null, id })}\n`);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { port, calls, close };
}

/** Time passes when somebody waits, and not otherwise. */
export class TurnedClock extends Clock {
  readonly waits: number[] = [];
  private ms = Date.UTC(2025, 0, 15);
  now(): Date {
    return new Date(this.ms);
  }
  async wait(ms: number): Promise<void> {
    this.waits.push(ms);
    this.ms += ms;
    await Promise.resolve();
  }
  pass(ms: number): void {
    this.ms += ms;
  }
}

export const PASSWORD = 'rpc-s3cret';
export async function rpcWith(answers: Answers, options: Partial<JsonRpcOptions> = {}) {
  const pasteld = await fakePasteld(answers);
  const clock = new TurnedClock();
  const rpc = new JsonRpcClient(
    {
      host: '127.0.0.1',
      port: pasteld.port,
      user: 'us:er',
      password: PASSWORD,
      timeoutMs: 5000,
      concurrentRequestsMax: 8,
      ...options,
    },
    clock,
  );
  const close = async (): Promise<void> => {
    rpc.close();
    await pasteld.close();
  };
  return { ...pasteld, rpc, clock, close };
}
