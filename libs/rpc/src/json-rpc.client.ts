import { Agent } from 'node:http';
import axios, { type AxiosInstance } from 'axios';
import { ChainRefusal, ChainUnavailable } from '#chain';
import { PythonNumber, readJson, type Clock, type Json, type JsonObject } from '#protocol';
import { Limiter } from './limiter.js';
import { Reply, UnreadableReply } from './reply.js';
import { writeRpcJson, type RpcParameter } from './rpc-json.js';

export interface JsonRpcOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly timeoutMs: number;
  readonly concurrentRequestsMax: number;
}
export interface RpcCallOptions {
  /** Parameters that no error may repeat. */
  readonly secrets?: readonly string[];
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}
/** What became of the calls of one method. */
export interface MethodCounts {
  calls: number;
  refused: number;
  unavailable: number;
  retried: number;
}

/** Calls that change nothing, or nothing more the second time; only these are repeated when an answer is lost. */
const IDEMPOTENT = new Set([
  'getinfo', 'getblockcount', 'getbestblockhash', 'getblockhash', 'getblock', 'getrawtransaction', 'getaddresstxids', 'getaddressutxosextra',
  'getbalance', 'listaddressamounts', 'masternodelist full', 'masternodelist rank', 'masternodelist pubkey', 'masternodelist extra',
  'masternode status', 'masternode message list', 'pastelid list', 'pastelid sign', 'pastelid verify', 'tickets get', 'tickets find contract',
  'tickets find id', 'tickets list contract', 'tickets list id',
]); // prettier-ignore
const RETRY_WAITS_MS = [500, 2000];
const WAITING_MAX = 10_000;
/** The largest replies are lists of tickets. */
const REPLY_BYTES_MAX = 256 * 2 ** 20;
/** pasteld's own limit (pasteld spec C.1). */
const REQUEST_BYTES_MAX = 32 * 2 ** 20;
const MESSAGE_SHOWN_MAX = 500;
const METHODS_COUNTED_MAX = 200;
const WARMING_UP = -28;

/** No answer; `again` where another try may help. */
class Lost extends Error {
  constructor(
    message: string,
    readonly again: boolean,
  ) {
    super(message);
  }
}

/**
 * pasteld's JSON-RPC (pasteld spec C.1): errors come with HTTP 500, 404 or 400 and a JSON body, which is read.
 * Throws {@link ChainRefusal} where pasteld said no, {@link ChainUnavailable} where it said nothing; neither ever
 * holds credentials or parameters.
 */
export class JsonRpcClient {
  private readonly agent: Agent;
  private readonly http: AxiosInstance;
  private readonly limiter: Limiter;
  private readonly counted = new Map<string, MethodCounts>();
  private nextId = 1;

  constructor(
    private readonly options: JsonRpcOptions,
    private readonly clock: Clock,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: options.concurrentRequestsMax, maxFreeSockets: 16 });
    this.limiter = new Limiter(options.concurrentRequestsMax, WAITING_MAX);
    this.http = axios.create({
      // Credentials stand in the header only: a URL with them would end up in error texts.
      baseURL: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${options.port}/`,
      headers: {
        Authorization: `Basic ${Buffer.from(`${options.user}:${options.password}`).toString('base64')}`,
        'Content-Type': 'application/json',
      },
      httpAgent: this.agent,
      proxy: false,
      maxRedirects: 0,
      maxBodyLength: REQUEST_BYTES_MAX,
      maxContentLength: REPLY_BYTES_MAX,
      responseType: 'text',
      transformRequest: [(data: unknown) => data],
      transformResponse: [(data: unknown) => data],
      validateStatus: () => true,
    });
  }

  /**
   * `method` may carry sub-commands, as in `masternode message list`; they lead the parameters.
   * Only the method is ever named in errors and counts.
   */
  async call(method: string, params: readonly RpcParameter[] = [], options: RpcCallOptions = {}): Promise<Reply> {
    const counts = this.countsOf(method);
    counts.calls++;
    const tries = IDEMPOTENT.has(method) ? RETRY_WAITS_MS.length + 1 : 1;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(method, params, options);
      } catch (error) {
        if (error instanceof ChainRefusal) counts.refused++;
        if (!(error instanceof Lost)) throw error;
        if (!error.again || attempt >= tries || options.signal?.aborted === true) {
          counts.unavailable++;
          throw new ChainUnavailable(method, this.redacted(error.message, options));
        }
        counts.retried++;
        // The place in the limiter is free meanwhile.
        await this.clock.wait(RETRY_WAITS_MS[attempt - 1]!, options.signal);
      }
    }
  }

  get counts(): ReadonlyMap<string, Readonly<MethodCounts>> {
    return this.counted;
  }

  close(): void {
    this.agent.destroy();
  }

  private async attempt(method: string, params: readonly RpcParameter[], options: RpcCallOptions): Promise<Reply> {
    const leave = await this.limiter.enter();
    if (!leave) throw new Lost('too many calls are waiting', false);
    try {
      const id = this.nextId++;
      const { status, data } = await this.post(id, method, params, options);
      return new Reply(method, this.resultIn(id, method, status, data, options));
    } finally {
      leave();
    }
  }

  private async post(
    id: number,
    method: string,
    params: readonly RpcParameter[],
    { timeoutMs = this.options.timeoutMs, signal }: RpcCallOptions,
  ) {
    const [name = '', ...words] = method.split(' ');
    const data = writeRpcJson({ jsonrpc: '1.0', id, method: name, params: [...words, ...params] });
    if (signal?.aborted === true) throw new Lost('the call was cancelled', false);
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      return await this.http.request<string>({
        method: 'POST',
        url: '/',
        data,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      });
    } catch (error) {
      if (deadline.aborted) throw new Lost(`no answer within ${timeoutMs / 1000} s`, true);
      if (axios.isCancel(error)) throw new Lost('the call was cancelled', false);
      if (!axios.isAxiosError(error)) throw error;
      const code = error.code ?? 'connection failed';
      throw new Lost(
        `${code} at ${this.options.host}:${this.options.port}`,
        code !== 'ERR_FR_MAX_BODY_LENGTH_EXCEEDED' && code !== 'ERR_BAD_RESPONSE',
      );
    }
  }

  private resultIn(id: number, method: string, status: number, body: string, options: RpcCallOptions): Json {
    if (status === 401) throw new Lost('it refused the RPC user or password (401); see RPC_USER and RPC_PASSWORD', false);
    if (status === 403) throw new Lost('it does not allow calls from this address (403); see rpcallowip in pastel.conf', false);
    const envelope = envelopeIn(body);
    if (!envelope && status === 200) throw new UnreadableReply(method, 'its reply could not be parsed');
    // "Work queue depth exceeded" comes as plain text with 500.
    if (!envelope) throw new Lost(`HTTP ${status} without JSON`, status >= 500);
    if (!isAnswerTo(id, envelope)) throw new Lost('its reply answers another call', true);
    const { error, result } = envelope;
    if (error !== undefined && error !== null) {
      const { code, message } = errorIn(error);
      if (code === WARMING_UP) throw new Lost(`it is starting: ${message}`, true);
      throw new ChainRefusal(code, this.redacted(message, options), method);
    }
    if (result === undefined || status !== 200) throw new Lost(`HTTP ${status} without a result`, false);
    return result;
  }

  private redacted(message: string, { secrets = [] }: RpcCallOptions): string {
    const hidden = [...secrets, this.options.password].filter((secret) => secret !== '');
    const text = hidden.reduce((shown, secret) => shown.replaceAll(secret, '***'), message);
    return text.length > MESSAGE_SHOWN_MAX ? `${text.slice(0, MESSAGE_SHOWN_MAX)}...` : text;
  }

  private countsOf(method: string): MethodCounts {
    const name = this.counted.has(method) || this.counted.size < METHODS_COUNTED_MAX ? method : 'others';
    const counts = this.counted.get(name) ?? { calls: 0, refused: 0, unavailable: 0, retried: 0 };
    this.counted.set(name, counts);
    return counts;
  }
}

function envelopeIn(body: string): JsonObject | undefined {
  try {
    const value = readJson(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof PythonNumber)
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}
/** Null where pasteld could not read the call. */
const isAnswerTo = (id: number, envelope: JsonObject): boolean => {
  const named = envelope['id'] ?? null;
  return named === null || (named instanceof PythonNumber && named.value === id);
};
function errorIn(error: Json): { code: number; message: string } {
  const { code, message } =
    typeof error === 'object' && !Array.isArray(error) && !(error instanceof PythonNumber) && error !== null
      ? error
      : ({} as JsonObject);
  return {
    code: code instanceof PythonNumber ? code.value : -1,
    message: typeof message === 'string' ? message : 'no reason given',
  };
}
