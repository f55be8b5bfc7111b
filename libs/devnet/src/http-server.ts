import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PythonNumber, readJson, type Json, type JsonObject } from '#protocol';
import type { DevnetCore } from './core.js';
import { RPC, RpcError } from './rpc-error.js';
import { dispatch } from './rpc/dispatcher.js';
import { replyText, type Reply, type ReplyObject } from './rpc/reply.js';
import type { Account } from './state.js';

const BODY_BYTES_MAX = 32 * 1024 * 1024;
const REQUESTS_MAX = 512;
const BATCH_MAX = 1_000;
const WRONG_PASSWORD_WAIT_MS = 250;
const IDLE_MS = 30_000;

export interface Listening {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** The connection is to break without an answer. */
class Unanswered extends Error {
  constructor(readonly fault: 'http-500' | 'hang' | 'reset') {
    super(fault);
  }
}

/** JSON-RPC over HTTP with the statuses and envelopes of pasteld (pasteld spec C.1). */
export async function listen(devnet: DevnetCore, host: string, port: number): Promise<Listening> {
  const stopping = new AbortController();
  // Every call that is slow on purpose listens to it.
  setMaxListeners(0, stopping.signal);
  let running = 0;
  const server = createServer((request, response) => {
    if (running >= REQUESTS_MAX) return void answer(response, 500, 'Work queue depth exceeded', 'text/plain');
    running++;
    serve(devnet, request, response, stopping.signal)
      .catch(() => response.destroy())
      .finally(() => running--);
  });
  server.keepAliveTimeout = IDLE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const taken = address !== null && typeof address === 'object' ? address.port : port;
  return { url: `http://${host}:${taken}`, port: taken, close: () => close(server, stopping) };
}
function close(server: Server, stopping: AbortController): Promise<void> {
  stopping.abort();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serve(
  devnet: DevnetCore,
  request: IncomingMessage,
  response: ServerResponse,
  stopping: AbortSignal,
): Promise<void> {
  if (!['GET', 'POST', 'HEAD', 'PUT'].includes(request.method ?? '')) return answer(response, 405, '', 'text/plain');
  if (request.url !== '/') return answer(response, 404, '', 'text/plain');
  if (request.method !== 'POST') return answer(response, 405, 'JSONRPC server handles only POST requests', 'text/plain');
  const credentials = credentialsOf(request);
  const account = credentials && devnet.authorised(credentials.user, credentials.password);
  if (!account) {
    if (credentials) await devnet.clock.wait(WRONG_PASSWORD_WAIT_MS, stopping);
    response.setHeader('WWW-Authenticate', 'Basic realm="jsonrpc"');
    return answer(response, 401, '', 'text/plain');
  }
  const body = await bodyOf(request);
  if (body === undefined) return answer(response.setHeader('Connection', 'close'), 413, '', 'text/plain');
  if (devnet.faults.latencyMs > 0) await devnet.clock.wait(devnet.faults.latencyMs, stopping);
  try {
    const { status, text } = await reply(devnet, account, body);
    answer(response, status, `${text}\n`, 'application/json');
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    if (error.fault === 'reset') request.socket.destroy();
    else if (error.fault === 'http-500') answer(response, 500, 'Internal Server Error', 'text/plain');
    // Otherwise it hangs: the connection stays open until the caller gives up or the server closes.
  }
}

function answer(response: ServerResponse, status: number, body: string, type: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

function credentialsOf(request: IncomingMessage): { user: string; password: string } | undefined {
  const given = /^Basic ([A-Za-z0-9+/=]+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) return undefined;
  const text = Buffer.from(given, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return { user: text.slice(0, Math.max(0, colon)), password: text.slice(colon + 1) };
}

/** Undefined where it is too long. One that does not say its length loses its connection there. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) return undefined;
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > BODY_BYTES_MAX) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function reply(devnet: DevnetCore, account: Account, body: string): Promise<{ status: number; text: string }> {
  let parsed: Json;
  try {
    parsed = readJson(body);
  } catch {
    return failed(new RpcError(RPC.parse, 'Parse error'), null);
  }
  if (Array.isArray(parsed)) {
    if (parsed.length > BATCH_MAX) return failed(new RpcError(RPC.invalidRequest, 'The batch is too long'), null);
    const texts: string[] = [];
    for (const request of parsed) texts.push((await single(devnet, account, request)).text);
    return { status: 200, text: `[${texts.join(',')}]` };
  }
  if (!isObject(parsed)) return failed(new RpcError(RPC.parse, 'Top-level object parse error'), null);
  return single(devnet, account, parsed);
}
const isObject = (value: Json): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof PythonNumber);

async function single(devnet: DevnetCore, account: Account, request: Json): Promise<{ status: number; text: string }> {
  if (!isObject(request)) return failed(new RpcError(RPC.invalidRequest, 'Invalid Request object'), null);
  const id = request['id'] ?? null;
  try {
    const { method, params } = request;
    if (method === undefined || method === null) throw new RpcError(RPC.invalidRequest, 'Missing method');
    if (typeof method !== 'string') throw new RpcError(RPC.invalidRequest, 'Method must be a string');
    if (params !== undefined && params !== null && !Array.isArray(params))
      throw new RpcError(RPC.invalidRequest, 'Params must be an array');
    return { status: 200, text: envelope(await called(devnet, account, method, params ?? []), null, id) };
  } catch (error) {
    if (error instanceof Unanswered) throw error;
    return failed(
      error instanceof RpcError ? error : new RpcError(RPC.misc, error instanceof Error ? error.message : String(error)),
      id,
    );
  }
}

async function called(devnet: DevnetCore, account: Account, method: string, params: readonly Json[]): Promise<Reply> {
  const words = params.slice(0, 2).filter((param) => typeof param === 'string');
  const fault = devnet.faults.take([method, ...words].join(' '), account.user);
  if (fault?.kind === 'error') throw new RpcError(fault.code, fault.message);
  if (fault && fault.kind !== 'lost-answer') throw new Unanswered(fault.kind);
  const result = await dispatch(devnet, account, method, params);
  if (fault) throw new Unanswered('reset');
  return result;
}

function failed(error: RpcError, id: Json): { status: number; text: string } {
  const status = error.code === RPC.invalidRequest ? 400 : error.code === RPC.unknownMethod ? 404 : 500;
  const shown: ReplyObject = { code: error.code, message: error.message, messageDetails: error.details };
  return { status, text: envelope(null, shown, id) };
}
const envelope = (result: Reply, error: ReplyObject | null, id: Json): string => replyText({ result, error, id: id as Reply });
