import { Agent } from 'node:http';
import axios, { type AxiosInstance } from 'axios';
import { isJsonObject, JsonError, readJson, writeJson, type Json } from '#protocol';
import { SupernodeRefused, SupernodeUnreachable, SupernodeUntrustworthy } from './errors.js';

/** Limits of one call. `timeoutMs` is for the whole of it, answer read. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}
interface Call extends CallOptions {
  readonly method: 'GET' | 'POST';
  /** Without a leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Results may hold pictures or documents; the network's own limit for bodies is 50 MiB. */
const ANSWER_BYTES_MAX = 64 * 2 ** 20;
const DETAIL_SHOWN_MAX = 500;

/** One for the process, so that connections to the same supernode are shared; idle ones do not keep the process alive. */
const agent = new Agent({ keepAlive: true, maxSockets: 32, maxFreeSockets: 4, timeout: 3_600_000 });
const http: AxiosInstance = axios.create({
  httpAgent: agent,
  proxy: false,
  // A supernode has no business in sending us elsewhere.
  maxRedirects: 0,
  maxContentLength: ANSWER_BYTES_MAX,
  maxBodyLength: ANSWER_BYTES_MAX,
  responseType: 'text',
  // Texts go out and come in as they are: axios' own JSON would lose the printing of numbers, and so the hashes.
  transformRequest: [(data: unknown) => data],
  transformResponse: [(data: unknown) => data],
  validateStatus: () => true,
  headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
});

/** JSON over HTTP to one supernode. Numbers keep their printing both ways. */
export class Transport {
  constructor(
    readonly url: string,
    private readonly timeoutMs: number,
  ) {}

  /** The parsed answer of a 2xx; undefined where `parse` is false. */
  async call({ method, path, query, body, signal, timeoutMs = this.timeoutMs }: Call, parse = true): Promise<Json> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const { status, data } = await http
      .request<string>({
        method,
        url: `${this.url}/${path}`,
        ...(query && { params: query, paramsSerializer: { serialize: (params) => new URLSearchParams(params).toString() } }),
        ...(body !== undefined && { data: writeJson(body) }),
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      })
      .catch((error: unknown) => {
        throw this.failure(error, path, deadline, timeoutMs);
      });
    if (status < 200 || status > 299) throw new SupernodeRefused(this.url, path, status, detailOf(data));
    return parse ? this.parsed(data, path) : null;
  }

  private parsed(text: string, path: string): Json {
    try {
      return readJson(text);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      throw new SupernodeUntrustworthy(this.url, path, [`no JSON (${error.message})`]);
    }
  }

  private failure(error: unknown, path: string, deadline: AbortSignal, timeoutMs: number): Error {
    if (deadline.aborted) return new SupernodeUnreachable(this.url, path, `no answer within ${timeoutMs / 1000} s`);
    if (!axios.isAxiosError(error)) return error instanceof Error ? error : new Error(String(error));
    if (axios.isCancel(error)) return new SupernodeUnreachable(this.url, path, 'the call was cancelled');
    return new SupernodeUnreachable(this.url, path, error.message || (error.code ?? 'connection failed'));
  }
}

/** FastAPI's `{"detail": text | [{loc, msg}]}`, or whatever else came. */
function detailOf(body: string): string {
  let detail: Json = body;
  try {
    const read = readJson(body);
    if (isJsonObject(read)) detail = read['detail'] ?? body;
  } catch {
    /* not JSON: shown as it is */
  }
  const text = Array.isArray(detail)
    ? detail.map(problemText).join('; ')
    : typeof detail === 'string'
      ? detail
      : writeJson(detail);
  return text.length > DETAIL_SHOWN_MAX ? `${text.slice(0, DETAIL_SHOWN_MAX)}...` : text;
}
function problemText(problem: Json): string {
  if (!isJsonObject(problem)) return writeJson(problem);
  const { loc, msg } = problem;
  const place = Array.isArray(loc) ? loc.map((part) => (typeof part === 'string' ? part : writeJson(part))).join('.') : '';
  return `${place}: ${typeof msg === 'string' ? msg : writeJson(problem)}`;
}
