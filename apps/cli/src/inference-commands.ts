import {
  auditInference,
  ClientError,
  creditNotesOf,
  rateInference,
  reachableSupernodes,
  runInference,
  runOnCreditNote,
  type InferenceOutcome,
  type InferenceState,
  type UserSide,
} from '#client';
import {
  InferenceAPIOutputResult,
  InferenceAPIUsageResponse,
  isJsonObject,
  readJson,
  received,
  sha3,
  tenthsFromCredits,
  toJson,
  writeJson,
  type Json,
  type MessageClass,
} from '#protocol';
import { defaultPack, nothingOfTrouble, PROBE_TIMEOUT_MS, type Context } from './context.js';
import { credits, printResult, table, UsageError } from './output.js';
import type { UserNode } from './user-node.js';

export interface InferOptions {
  readonly pack?: string;
  readonly model?: string;
  readonly type: string;
  readonly param?: string[];
  readonly maxCredits: string;
  readonly creditNote?: string;
}
export async function infer(context: Context, prompt: string, options: InferOptions): Promise<void> {
  const { node, terminal, json } = context;
  const tenthsMax = tenthsFromCredits(options.maxCredits);
  if (tenthsMax === undefined || tenthsMax < 1)
    throw new UsageError(`--max-credits takes a number of credits with one decimal, not ${options.maxCredits}`);
  const parameters = parametersIn(options.param ?? []);
  const side = await node.userSide();
  const { model, pack, type } = options;
  const wish = sha3(JSON.stringify([side.signing.pastelId, pack ?? '', model ?? '', type, prompt, parameters]));
  const wanted = {
    keep: (served: InferenceOutcome) =>
      node
        .file<StoredInference>('inferences', `${served.response.inference_response_id}.json`)
        .save('user inference: result kept', stored(served)),
    packTxid: options.pack ?? (await defaultPack(node, side)),
    model: options.model ?? (await firstModel(side, options.type)),
    inferenceType: options.type,
    input: prompt,
    parameters,
    tenthsMax,
  };
  // The same words again take up what was not finished.
  const journal = node.file<InferenceState>('inferences', `unfinished-${wish}.json`);
  const outcome = options.creditNote
    ? await runOnCreditNote(side, wanted, options.creditNote)
    : await runInference(side, { ...wanted, journal });
  const value = {
    output: outcome.output,
    unserved: outcome.unserved ?? null,
    credits: outcome.costTenths / 10,
    inference_request_id: outcome.request.inference_request_id,
    inference_response_id: outcome.response.inference_response_id,
    supernode: outcome.supernodePastelId,
    burn_txid: outcome.burnTxid ?? null,
    credit_note_id: options.creditNote ?? null,
  };
  terminal.error(
    `  cost: ${credits(outcome.costTenths)} credits; to audit it: pastel-inference audit ${outcome.response.inference_response_id}`,
  );
  printResult(terminal, json, value, textOf(outcome.output));
  if (outcome.unserved)
    throw new ClientError(
      'not-run',
      `The supernode could not serve it: ${outcome.unserved.message}`,
      `It owes the credits by its note ${outcome.unserved.creditNoteId ?? ''}`.trim(),
    );
}

/** What supernodes owe the user. */
export async function notes({ node, terminal, json }: Context): Promise<void> {
  const held = await creditNotesOf(await node.userSide());
  const rows = held.map(({ note, openTenths, candidate }) => [
    note.credit_note_id,
    note.credits_owed.toString(),
    credits(openTenths),
    candidate.client.url,
    note.reason,
  ]);
  const value = held.map(({ note, openTenths, candidate }) => ({
    credit_note_id: note.credit_note_id,
    credits_owed: note.credits_owed.value,
    credits_open: openTenths / 10,
    supernode: candidate.pastelId,
    reason: note.reason,
  }));
  const text = rows.length === 0 ? 'No credit notes.' : table([['credit note', 'owed', 'open', 'supernode', 'why'], ...rows]);
  printResult(terminal, json, value, text);
}

export async function audit({ node, terminal, json }: Context, responseId: string): Promise<void> {
  const kept = await keptInference(node, responseId);
  const side = await node.userSide();
  const outcome = await auditInference(side, { ...opened(kept), servedBy: kept.supernodePastelId });
  const rows = outcome.auditors.map(({ url, response, result, differences, reason }) => [
    url,
    response,
    result,
    differences.join(' ') || (reason ?? ''),
  ]);
  const text = `${table([['supernode', 'response', 'result', 'differs in'], ...rows])}\n${outcome.agreeing} of ${outcome.auditors.length} agree`;
  printResult(terminal, json, outcome, text);
  if (outcome.differing > 0) throw new ClientError('not-run', 'A supernode was told something else than you');
}

export async function rate({ node, terminal, json }: Context, responseId: string, score: string): Promise<void> {
  if (!/^\d(\.\d{1,2})?$/.test(score)) throw new UsageError(`${score} is no rating: 0 to 5, two decimals at most`);
  const kept = await keptInference(node, responseId);
  const { result } = opened(kept);
  const outcome = await rateInference(await node.userSide(), { result, servedBy: kept.supernodePastelId, score: Number(score) });
  printResult(terminal, json, outcome, `${outcome.taken} of ${outcome.asked} supernodes took the rating`);
  if (outcome.taken === 0) throw new ClientError('not-run', outcome.reasons[0] ?? 'No supernode took the rating');
}

async function keptInference(node: UserNode, responseId: string): Promise<StoredInference> {
  if (!/^[0-9a-f-]{36}$/.test(responseId)) throw new UsageError(`${responseId} is no id of an inference response`);
  const kept = await node.file<StoredInference>('inferences', `${responseId}.json`).load();
  if (!kept) throw new UsageError(`No inference ${responseId} was run from this folder; only what was kept here is known`);
  return kept;
}

/** Messages as JSON texts, so that numbers keep the printing that was hashed. */
interface StoredInference {
  readonly response: string;
  readonly result: string;
  readonly supernodePastelId: string;
}
const stored = ({ response, result, supernodePastelId }: InferenceOutcome): StoredInference => ({
  response: writeJson(toJson(response)),
  result: writeJson(toJson(result)),
  supernodePastelId,
});
const opened = ({ response, result }: StoredInference) => ({
  response: messageIn(InferenceAPIUsageResponse, response),
  result: messageIn(InferenceAPIOutputResult, result),
});
function messageIn<M extends object>(type: MessageClass<M>, text: string): M {
  const wire = readJson(text);
  if (!isJsonObject(wire)) throw new UsageError('The stored inference is damaged');
  return received(type, wire);
}

async function firstModel(side: UserSide, inferenceType: string): Promise<string> {
  for (const { client } of await reachableSupernodes(side, { count: 3 })) {
    const menu = await client.modelMenu({ timeoutMs: PROBE_TIMEOUT_MS }).catch(nothingOfTrouble);
    const model = menu?.find(({ inferenceTypes }) => inferenceTypes.includes(inferenceType));
    if (model) return model.name;
  }
  throw new ClientError(
    'not-run',
    `No supernode close by offers a model for ${inferenceType}`,
    'See `pastel-inference network` for what there is.',
  );
}

const textOf = (output: Json): string =>
  typeof output === 'string'
    ? output
    : Array.isArray(output) && output.every((item) => typeof item === 'string')
      ? output.join('\n')
      : writeJson(output);

export function parametersIn(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--param takes name=value, not ${pair}`);
      const text = pair.slice(at + 1);
      try {
        return [pair.slice(0, at), readJson(text)];
      } catch {
        return [pair.slice(0, at), text];
      }
    }),
  );
}
