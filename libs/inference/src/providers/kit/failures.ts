import { Secrets } from '#config';
import { Refusal } from '#protocol';
import { type FailureCode, ProviderFailure } from '../provider.js';

/** What vendors mean by their statuses; whether a repetition is safe and sensible goes with it. */
interface Meaning {
  readonly code: FailureCode;
  readonly retryable: boolean;
  readonly says: string;
}
const refused = (says: string): Meaning => ({ code: 'refused', retryable: false, says });
const misconfigured = (says: string): Meaning => ({ code: 'misconfigured', retryable: false, says });
const unavailable = (says: string): Meaning => ({ code: 'unavailable', retryable: true, says });
const limited: Meaning = { code: 'rate_limited', retryable: true, says: 'The model service takes no more requests for now' };

/** The one table of all providers. A status that is not in it falls under its hundred. */
const meanings: Readonly<Record<number, Meaning>> = {
  401: misconfigured("The model service does not accept this supernode's key"),
  402: misconfigured("This supernode's account at the model service has run out of funds"),
  403: misconfigured("The model service does not accept this supernode's key"),
  404: refused('The model service does not know this model'),
  407: misconfigured('A proxy stands before the model service'),
  408: unavailable('The model service gave up waiting'),
  409: unavailable('The model service is busy with another attempt'),
  413: refused('The request is too large for the model service'),
  425: unavailable('The model service is not ready yet'),
  429: limited,
};
const ofHundred: Readonly<Record<number, Meaning>> = {
  3: misconfigured('The model service is at another address, which is not followed'),
  4: refused('The model service refused the request'),
  5: unavailable('The model service is overloaded or broken'),
};
/** Said with other statuses: the account is empty, and waiting does not fill it. */
const OUT_OF_FUNDS = new Set(['insufficient_quota', 'billing_hard_limit_reached', 'insufficient_balance']);

export interface VendorAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}
/** What to strike out, and where the vendor means something else by a status. */
export interface Reading {
  readonly now: Date;
  readonly secret?: string | undefined;
  readonly statuses?: Readonly<Record<number, FailureCode>> | undefined;
}

/** An answer whose status is not 2xx. */
export function failureOfAnswer({ status, headers, text }: VendorAnswer, reading: Reading): ProviderFailure {
  const { reason, code } = complaintIn(text);
  const found = meanings[status] ?? ofHundred[Math.floor(status / 100)] ?? unavailable('The model service answered strangely');
  const meaning = OUT_OF_FUNDS.has(code) ? meanings[402]! : asVendorMeans(found, reading.statuses?.[status]);
  // Of what the operator has to mend the vendor speaks with the key in its mouth.
  const shown = meaning.code === 'misconfigured' || reason === '' ? '' : `: ${cleaned(reason, reading.secret)}`;
  const retryAfterMs = meaning.retryable ? retryAfterOf(headers, reading.now) : undefined;
  return new ProviderFailure(meaning.code, `${meaning.says} (HTTP ${status})${shown}`, meaning.retryable, retryAfterMs);
}

function asVendorMeans(found: Meaning, code: FailureCode | undefined): Meaning {
  if (code === undefined || code === found.code) return found;
  if (code === 'rate_limited') return limited;
  return code === 'unavailable' ? ofHundred[5]! : code === 'misconfigured' ? meanings[401]! : ofHundred[4]!;
}

/** An error that comes in the middle of a stream whose status was 200: `{"error": {"code", "message"}}`. */
export function failureInStream(error: unknown, reading: Reading): ProviderFailure {
  const status = isRecord(error) ? Number(error['code'] ?? error['status']) : NaN;
  const names = isRecord(error) ? [error['type'], error['code']] : [];
  const byName = names
    .map((name) => (typeof name === 'string' ? statusOfType[name] : undefined))
    .find((found) => found !== undefined);
  const known = Number.isInteger(status) && status >= 400 && status < 600 ? status : (byName ?? 500);
  return failureOfAnswer({ status: known, headers: {}, text: JSON.stringify({ error }) }, reading);
}
/** Names of errors in use where no status can be sent any more. */
const statusOfType: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  overloaded_error: 529,
};

export const malformed = (what: string): ProviderFailure =>
  new ProviderFailure('malformed_answer', `The model service answered with ${what}`, true);
export const cutOff = (): ProviderFailure =>
  new ProviderFailure('unavailable', 'The connection to the model service broke in the middle of its answer', true);
export const stalled = (): ProviderFailure =>
  new ProviderFailure('unavailable', 'The model service fell silent in the middle of its answer', true);
export const unreachable = (why: string): ProviderFailure =>
  new ProviderFailure('unavailable', `The model service cannot be reached (${why})`, true);
export const tooLate = (): ProviderFailure =>
  new ProviderFailure('deadline_exceeded', 'The model service did not answer in time', true);
export const tooLarge = (): ProviderFailure =>
  new ProviderFailure('answer_too_large', 'The answer of the model service is too large', false);

const RETRY_AFTER_MS_MAX = 3_600_000;

/**
 * How long the service wants to be left alone: `retry-after-ms`, `Retry-After` in seconds or as an HTTP date, or, where those are missing,
 * the limits that are used up (`x-ratelimit-remaining-*` is 0) by their `x-ratelimit-reset-*` (`1s`, `6m0s`, `120ms`) or `x-ratelimit-reset`
 * (Unix time). An hour at most.
 */
export function retryAfterOf(headers: Readonly<Record<string, unknown>>, now: Date): number | undefined {
  const text = (name: string): string => (typeof headers[name] === 'string' ? headers[name].trim() : '');
  const ms =
    decimal(text('retry-after-ms')) ?? times1000(decimal(text('retry-after'))) ?? msUntil(Date.parse(text('retry-after')), now);
  const resets = ['requests', 'tokens'].map((what) =>
    text(`x-ratelimit-remaining-${what}`) === '0' ? durationMs(text(`x-ratelimit-reset-${what}`)) : undefined,
  );
  const byReset = Math.max(...resets.map((reset) => reset ?? -1));
  const found = ms ?? (byReset >= 0 ? byReset : msUntil(unixMs(decimal(text('x-ratelimit-reset'))), now));
  return found === undefined ? undefined : Math.min(Math.ceil(found), RETRY_AFTER_MS_MAX);
}
const decimal = (text: string): number | undefined => (/^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : undefined);
const times1000 = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : seconds * 1000);
const unixMs = (time: number | undefined): number => (time === undefined ? NaN : time > 1e11 ? time : time * 1000);
const msUntil = (instantMs: number, now: Date): number | undefined =>
  Number.isFinite(instantMs) ? Math.max(0, instantMs - now.getTime()) : undefined;

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
function durationMs(text: string): number | undefined {
  if (!/^(\d{1,9}(\.\d{1,9})?(ms|s|m|h|d))+$/.test(text)) return undefined;
  return [...text.matchAll(/([\d.]+)(ms|s|m|h|d)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * UNITS_MS[unit!]!, 0);
}

/** `{"error": {"message", "code", "type"}}`, `{"error": …}`, `{"message"}`, `{"errors": […]}` or `{"detail"}` of any shape. */
function complaintIn(text: string): { reason: string; code: string } {
  const body = parsed(text);
  if (!isRecord(body)) return { reason: '', code: '' };
  const error = body['error'] ?? body['detail'] ?? body['errors'] ?? body['message'];
  const name = isRecord(error) ? (error['code'] ?? error['type']) : body['code'];
  return { reason: reasonOf(error), code: typeof name === 'string' ? name : '' };
}

function reasonOf(error: unknown): string {
  if (typeof error === 'string') return error;
  if (Array.isArray(error)) return error.slice(0, 3).map(reasonOf).filter(Boolean).join('; ');
  return isRecord(error) ? reasonOf(error['message'] ?? error['msg'] ?? error['detail']) : '';
}

const REASON_LENGTH_MAX = 200;
const KEY_LIKE = /\b(?:sk|pk|gsk|rk|xai|key|bearer)[-_ ][A-Za-z0-9_*.-]{6,}/gi;
const ADDRESSES = [
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>)\]]+/gi,
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g,
  /\[[0-9a-f]*:[0-9a-f:.]+\](?::\d+)?/gi,
  /\b(?:[a-z0-9-]+\.)*(?:localhost|internal|local)(?::\d+)?\b/gi,
  /\b[a-z0-9-]+(?:\.[a-z0-9-]+)+:\d+\b/gi,
];

/** Fit to be shown: shortened, keys and addresses struck out, nothing that steers a terminal or a log. */
export function cleaned(reason: string, secret?: string): string {
  // Before anything is cut: half a key would not be found any more.
  let text = secret ? new Secrets([secret]).strike(reason, '***').replaceAll(secret, '***') : reason;
  // What is far beyond the limit is not worth a search.
  text = text.slice(0, REASON_LENGTH_MAX * 10).replace(KEY_LIKE, '***');
  for (const address of ADDRESSES) text = text.replace(address, '[address]');
  const printable = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  const short = printable.length > REASON_LENGTH_MAX ? `${printable.slice(0, REASON_LENGTH_MAX - 1)}…` : printable;
  return short.toWellFormed();
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What was read before it was paid; should the rules have become stricter since, the request is not served. */
export function asFailure<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) throw new ProviderFailure('refused', error.message, false);
    throw error;
  }
}
