import { Clock, Entropy, readJson, type Json } from '#protocol';
import { Devnet } from './devnet.js';
import type { DevnetOptions } from './options.js';

/** A clock that stands still until it is told to move on. */
export class HandClock extends Clock {
  private waiters: { readonly due: number; readonly done: () => void }[] = [];
  constructor(private ms = Date.UTC(2025, 0, 1)) {
    super();
  }
  now(): Date {
    return new Date(this.ms);
  }
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiters.push({ due: this.ms + ms, done: resolve });
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  async advance(ms: number): Promise<void> {
    this.ms += ms;
    const due = this.waiters.filter((waiter) => waiter.due <= this.ms);
    this.waiters = this.waiters.filter((waiter) => waiter.due > this.ms);
    for (const waiter of due) waiter.done();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
}
/** The same sequence each time (mulberry32). */
export class SeededEntropy extends Entropy {
  constructor(private state = 1) {
    super();
  }
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * limit);
  }
  uuid(): string {
    const hex = Array.from({ length: 32 }, () => this.below(16).toString(16)).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}

export const testOptions = (changes: Partial<DevnetOptions> = {}): DevnetOptions => ({
  clock: new HandClock(),
  entropy: new SeededEntropy(),
  user: { user: 'devnet', password: 'devnet' },
  supernodes: [1, 2, 3, 4, 5].map((n) => ({ user: `sn${n}`, password: `secret${n}`, ip: `127.0.0.${n}`, port: 29933 })),
  blocks: 'on demand',
  controls: true,
  ...changes,
});
export const testDevnet = (changes?: Partial<DevnetOptions>): Promise<Devnet> => Devnet.create(testOptions(changes));

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  readonly json: { readonly result: Json; readonly error: Json; readonly id: Json };
}
/** POST as a client does it. */
export async function post(url: string, body: string, credentials = 'devnet:devnet', path = '/'): Promise<RawAnswer> {
  const headers = credentials === '' ? undefined : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  const response = await fetch(url + path, { method: 'POST', body, ...(headers && { headers }) });
  const text = await response.text();
  return {
    status: response.status,
    text,
    headers: response.headers,
    json: (text.startsWith('{') ? readJson(text) : null) as never,
  };
}

export interface Failure {
  readonly status: number;
  readonly code: number;
  readonly message: string;
}
/* eslint-disable @typescript-eslint/no-explicit-any -- what a node answers is looked into by the tests, field by field */
/** One caller of a node over HTTP: results as JSON.parse gives them. */
export class Caller {
  constructor(
    private readonly url: string,
    private readonly credentials = 'devnet:devnet',
  ) {}

  async call(method: string, ...params: unknown[]): Promise<any> {
    const { status, text } = await post(this.url, JSON.stringify({ method, params, id: 7 }), this.credentials);
    const { result, error } = JSON.parse(text) as { result: unknown; error: { code: number; message: string } | null };
    if (error) throw Object.assign(new Error(error.message), { status, code: error.code });
    return result;
  }
  /** The refusal; fails where the call succeeds. */
  async refusal(method: string, ...params: unknown[]): Promise<Failure> {
    try {
      await this.call(method, ...params);
    } catch (error) {
      const { status, code, message } = error as Failure;
      return { status, code, message };
    }
    throw new Error(`${method} was not refused`);
  }
  as(credentials: string): Caller {
    return new Caller(this.url, credentials);
  }
}
/* eslint-enable @typescript-eslint/no-explicit-any */

export interface Served {
  readonly devnet: Devnet;
  readonly url: string;
  readonly user: Caller;
  readonly node: Caller;
  readonly peer: Caller;
  close(): Promise<void>;
}
/** A devnet over HTTP: the user, and the first two supernodes. */
export async function serve(changes?: Partial<DevnetOptions>): Promise<Served> {
  const devnet = await testDevnet(changes);
  const server = await devnet.listen('127.0.0.1', 0);
  const user = new Caller(server.url);
  const close = async (): Promise<void> => {
    await server.close();
    await devnet.close();
  };
  return { devnet, url: server.url, user, node: user.as('sn1:secret1'), peer: user.as('sn2:secret2'), close };
}
