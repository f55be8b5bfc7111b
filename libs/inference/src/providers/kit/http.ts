import type { Readable } from 'node:stream';
import { isAxiosError } from 'axios';
import type { Clock } from '#protocol';
import { type FailureCode, ProviderFailure, type Surroundings } from '../provider.js';
import { EventReader, type ServerEvent } from './events.js';
import { cutOff, failureOfAnswer, isRecord, malformed, parsed, stalled, tooLarge, tooLate, unreachable } from './failures.js';

/** One question to a vendor. */
export interface Call {
  /** POST if not said. */
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the query. No key in here: addresses end up in logs. */
  readonly params?: Readonly<Record<string, string | number>>;
  readonly json?: unknown;
  readonly form?: FormData;
  /** For the whole answer; the deadline of the request counts besides. */
  readonly timeoutMs?: number;
  /** The longest silence within an answer. */
  readonly idleMs?: number;
  readonly idempotencyKey?: string;
  /** Struck out of error texts. */
  readonly secret?: string | undefined;
  /** Where the vendor means something else by a status than `failures.ts` says. */
  readonly statuses?: Readonly<Record<number, FailureCode>>;
}

export interface Bytes {
  readonly bytes: Buffer;
  /** Without its parameters, in lower case. */
  readonly contentType: string;
  /** 2xx; 202 where the work is not done yet. */
  readonly status: number;
}

export const ANSWER_BYTES_MAX = 48 * 2 ** 20;
/** Each token of a stream comes with a hundred times its size around it. */
const STREAM_BYTES_MAX = 128 * 2 ** 20;
const ERROR_BYTES_MAX = 64 * 1024;
const IDLE_MS = 120_000;

/** The answer is a JSON object or list. Throws a {@link ProviderFailure}, as all here do. */
export async function callJson(around: Surroundings, call: Call): Promise<Record<string, unknown> | unknown[]> {
  const { bytes } = await callBytes(around, { ...call, accept: 'application/json', bytesMax: ANSWER_BYTES_MAX });
  return jsonIn(bytes.toString('utf8'));
}

/** `accept` is the header as well as what is taken: `image/*, application/json`. */
export async function callBytes(around: Surroundings, call: Call & { accept: string; bytesMax: number }): Promise<Bytes> {
  const pieces: Buffer[] = [];
  const reply = await open(around, call, call.accept, call.bytesMax);
  for await (const piece of reply.pieces) pieces.push(piece);
  return { bytes: Buffer.concat(pieces), contentType: reply.contentType, status: reply.status };
}

/** A service that answers with plain JSON all the same gives one event, which holds it. */
export async function* callEvents(around: Surroundings, call: Call): AsyncGenerator<ServerEvent> {
  const reply = await open(around, call, 'text/event-stream, application/json', STREAM_BYTES_MAX);
  if (reply.contentType !== 'text/event-stream') {
    const pieces: Buffer[] = [];
    for await (const piece of reply.pieces) pieces.push(piece);
    yield { event: undefined, data: Buffer.concat(pieces).toString('utf8') };
    return;
  }
  const reader = new EventReader();
  for await (const piece of reply.pieces) yield* reader.push(piece);
}

export function jsonIn(text: string): Record<string, unknown> | unknown[] {
  const value = parsed(text);
  if (!isRecord(value) && !Array.isArray(value)) throw malformed('something that is not JSON');
  return value;
}

interface Reply {
  readonly status: number;
  readonly contentType: string;
  /** Must be read to its end or returned. */
  readonly pieces: AsyncGenerator<Buffer>;
}

/** Waits for the head of an answer; one that is no success, or of another type than asked for, is a failure. */
async function open(around: Surroundings, call: Call, accept: string, bytesMax: number): Promise<Reply> {
  const { http, clock, signal } = around;
  const watch = new Watch(clock, signal, call);
  try {
    const { status, data, headers } = await http.request<Readable>({ ...requestOf(call, accept), signal: watch.signal });
    const head = { status, headers: headers as Record<string, unknown> };
    if (status < 200 || status > 299) {
      const text = await beginningOf(data, watch);
      throw failureOfAnswer({ ...head, text }, { now: clock.now(), secret: call.secret, statuses: call.statuses });
    }
    const contentType = typeOf(head.headers['content-type']);
    if (!isAccepted(contentType, accept)) {
      data.destroy();
      throw malformed('another type of content than was asked for');
    }
    return { status, contentType, pieces: piecesOf(data, watch, bytesMax) };
  } catch (error) {
    watch.end();
    throw failureOf(error, watch, unreachable(codeOf(error)));
  }
}

const requestOf = (call: Call, accept: string) => ({
  method: call.method ?? 'POST',
  url: call.url,
  headers: { ...call.headers, Accept: accept, ...(call.idempotencyKey && { 'Idempotency-Key': call.idempotencyKey }) },
  ...(call.params && { params: call.params }),
  ...((call.form ?? call.json) !== undefined && { data: call.form ?? call.json }),
  responseType: 'stream' as const,
  // Counted here: the limit of axios does not let go of a service that falls silent.
  maxContentLength: -1,
  validateStatus: () => true,
});

async function* piecesOf(data: Readable, watch: Watch, bytesMax: number): AsyncGenerator<Buffer> {
  let size = 0;
  try {
    watch.startIdling();
    for await (const piece of data as AsyncIterable<Buffer>) {
      watch.touch();
      size += piece.length;
      if (size > bytesMax) throw tooLarge();
      yield piece;
    }
    if (watch.signal.aborted) throw cutOff();
  } catch (error) {
    throw failureOf(error, watch, cutOff());
  } finally {
    watch.end();
    data.destroy();
  }
}

/** Enough of an error to know its reason; whatever goes wrong on the way is not of interest. */
async function beginningOf(data: Readable, watch: Watch): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  watch.startIdling();
  try {
    for await (const piece of data as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size > ERROR_BYTES_MAX) break;
    }
  } catch {
    // the status says enough
  }
  data.destroy();
  return Buffer.concat(pieces).subarray(0, ERROR_BYTES_MAX).toString('utf8');
}

function failureOf(error: unknown, watch: Watch, otherwise: ProviderFailure): unknown {
  if (error instanceof ProviderFailure) return error;
  if (watch.outcome === 'idle') return stalled();
  if (watch.outcome !== undefined || codeOf(error) === 'ECONNABORTED' || codeOf(error) === 'ETIMEDOUT') return tooLate();
  // Anything else than a broken connection is a fault of our own.
  return isAxiosError(error) || codeOf(error) !== 'no answer' ? otherwise : error;
}
const codeOf = (error: unknown): string => (isRecord(error) && typeof error['code'] === 'string' ? error['code'] : 'no answer');

const typeOf = (header: unknown): string =>
  typeof header === 'string' ? header.split(';', 1)[0]!.trim().toLowerCase() : 'application/octet-stream';
function isAccepted(contentType: string, accept: string): boolean {
  return accept.split(',').some((wanted) => {
    const type = wanted.trim();
    if (type === 'application/json') return /^application\/(?:[\w.-]+\+)?json$/.test(contentType);
    return type.endsWith('/*') ? contentType.startsWith(type.slice(0, -1)) : type === contentType;
  });
}

/** Ends a call that takes too long or falls silent, by the injected clock, and remembers why. */
class Watch {
  readonly signal: AbortSignal;
  outcome: 'caller' | 'time' | 'idle' | undefined;
  private readonly stop = new AbortController();
  private readonly over = new AbortController();
  private readonly idleMs: number;
  private lastMs = 0;

  constructor(
    private readonly clock: Clock,
    caller: AbortSignal,
    { timeoutMs, idleMs = IDLE_MS }: Call,
  ) {
    this.idleMs = idleMs;
    this.signal = AbortSignal.any([caller, this.stop.signal]);
    const byCaller = (): void => void (this.outcome ??= 'caller');
    if (caller.aborted) byCaller();
    else caller.addEventListener('abort', byCaller, { once: true, signal: this.over.signal });
    if (timeoutMs !== undefined) void this.after(timeoutMs, () => this.expire('time'));
  }

  startIdling(): void {
    this.touch();
    const look = (): void => {
      const silentMs = this.clock.monotonicMs() - this.lastMs;
      if (silentMs >= this.idleMs) this.expire('idle');
      else void this.after(this.idleMs - silentMs, look);
    };
    void this.after(this.idleMs, look);
  }
  touch(): void {
    this.lastMs = this.clock.monotonicMs();
  }
  end(): void {
    this.over.abort();
  }

  private async after(ms: number, act: () => void): Promise<void> {
    await this.clock.wait(ms, this.over.signal);
    if (!this.over.signal.aborted) act();
  }
  private expire(outcome: 'time' | 'idle'): void {
    this.outcome ??= outcome;
    this.stop.abort();
  }
}
