import { declarationOf, writeJson, type InferenceAPIOutputResult, type InferenceAPIUsageResponse } from '#protocol';
import { closestTo, type Candidate } from './choice.js';
import { ClientError, isSupernodeTrouble, waitUntil, type UserSide } from './side.js';

export interface AuditOptions {
  /** What the serving supernode gave us. */
  readonly response: InferenceAPIUsageResponse;
  readonly result: InferenceAPIOutputResult;
  readonly servedBy: string;
  /** Supernodes that are asked. */
  readonly count?: number;
  /** How long copies may take to arrive there. */
  readonly timeoutMs?: number;
}
/** What one supernode holds of it. `differs`: both copies are signed by the same supernode, so it said two things. */
export type Agreement = 'agrees' | 'differs' | 'does not know';
export interface AuditedBy {
  readonly pastelId: string;
  readonly url: string;
  readonly response: Agreement;
  readonly result: Agreement;
  /** The fields that differ. */
  readonly differences: readonly string[];
  /** Why it does not know. */
  readonly reason?: string;
}
export interface Audit {
  readonly auditors: readonly AuditedBy[];
  readonly agreeing: number;
  readonly differing: number;
}

/** Supernodes that are told of an inference (inference spec 5.6), and what they are told of a result (3.6). */
const AUDITORS = 4;
const RESULT_CHARACTERS_TOLD = 32;
const TIMEOUT_MS = 60_000;
const CALL_TIMEOUT_MS = 15_000;

/**
 * Compares what one supernode gave us with what it told the others.
 * 1. The closest to the user but for the one that served.
 * 2. Response and result of each, looked at again while the copies travel.
 * 3. Field by field; of the result's text a copy holds the first 32 characters.
 */
export async function auditInference(side: UserSide, options: AuditOptions): Promise<Audit> {
  const { count = AUDITORS, servedBy, timeoutMs = TIMEOUT_MS } = options;
  const auditors = (await closestTo(side, side.signing.pastelId)).filter(({ pastelId }) => pastelId !== servedBy).slice(0, count);
  if (auditors.length === 0) throw new ClientError('no-supernode', 'There is no other supernode to ask');
  side.report?.({
    step: 'audit',
    text: `Asking ${auditors.length} other supernodes what they were told`,
    waitsFor: 'their copies',
  });
  const reports = await Promise.all(auditors.map((auditor) => reportOf(side, auditor, options, timeoutMs)));
  const agreeing = reports.filter(({ response, result }) => response === 'agrees' && result === 'agrees').length;
  const differing = reports.filter(({ differences }) => differences.length > 0).length;
  side.report?.({
    step: 'audited',
    text: `${agreeing} of ${reports.length} agree in every field${differing > 0 ? `; ${differing} were told something else` : ''}`,
  });
  return { auditors: reports, agreeing, differing };
}

async function reportOf(side: UserSide, auditor: Candidate, options: AuditOptions, timeoutMs: number): Promise<AuditedBy> {
  const { client, pastelId } = auditor;
  const id = options.response.inference_response_id;
  const limits = { expectedSigner: options.servedBy, timeoutMs: CALL_TIMEOUT_MS };
  const reasons: string[] = [];
  const told = async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
    let reason = '';
    const look = (): Promise<T | undefined> =>
      ask().catch((error: unknown) => {
        if (!isSupernodeTrouble(error)) throw error;
        reason = error.message;
        return undefined;
      });
    const found = await waitUntil(
      side,
      { what: 'a copy', timeoutMs, everyMs: 2_000, everyMsMax: 10_000, growth: 1.5 },
      look,
    ).catch(nothingOfTimeout);
    if (found === undefined) reasons.push(reason);
    return found;
  };
  const [response, audited] = await Promise.all([
    told(() => client.auditResponse(id, limits)),
    told(() => client.auditResult(id, limits)),
  ]);
  const responseDiffers = response ? differences(response, options.response) : [];
  const resultDiffers = audited ? resultDifferences(audited.result, options.result, audited.whole) : [];
  const agreement = (found: unknown, differing: string[]): Agreement =>
    found === undefined ? 'does not know' : differing.length > 0 ? 'differs' : 'agrees';
  return {
    pastelId,
    url: client.url,
    response: agreement(response, responseDiffers),
    result: agreement(audited, resultDiffers),
    differences: [...responseDiffers, ...resultDiffers],
    ...(reasons.length > 0 && { reason: [...new Set(reasons)].join(' / ') }),
  };
}

/** Declared fields whose values differ, however numbers are printed. `id` is a row's name and no part of what is said. */
function differences<M extends object>(theirs: M, ours: M): string[] {
  const [left, right] = [theirs, ours] as [Record<string, unknown>, Record<string, unknown>];
  return declarationOf(ours.constructor)
    .fields.map(({ name }) => name)
    .filter((name) => name !== 'id' && plain(left[name]) !== plain(right[name]));
}
const plain = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'value' in value ? String(value.value) : writeJson(value);

function resultDifferences(theirs: InferenceAPIOutputResult, ours: InferenceAPIOutputResult, whole: boolean): string[] {
  const compared = differences(theirs, ours);
  if (whole) return compared;
  const isSameStart = ours.inference_result_json_base64.slice(0, RESULT_CHARACTERS_TOLD) === theirs.inference_result_json_base64;
  return compared.filter((name) => name !== 'inference_result_json_base64' || !isSameStart);
}

function nothingOfTimeout(error: unknown): undefined {
  if (error instanceof ClientError && error.code === 'timeout') return undefined;
  throw error;
}
