import {
  decodeBase64Text,
  encodeBase64,
  isJsonObject,
  pythonJson,
  readJson,
  tenthsFromCredits,
  USAGE_BURN_PATOSHIS_MAX,
  type InferenceAPIOutputResult,
  type InferenceAPIUsageRequest,
  type InferenceAPIUsageResponse,
  type Json,
} from '#protocol';
import type { ModelMenu } from './shapes.js';

/** What a user asks for. A text goes to the model as it is; an object as JSON (inference spec 1.3). */
export interface InferenceWish {
  readonly model: string;
  readonly inferenceType: string;
  readonly input: string | Readonly<Record<string, unknown>>;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export const inputBase64 = (input: InferenceWish['input']): string =>
  encodeBase64(typeof input === 'string' ? input : pythonJson(input));
export const parametersBase64 = (parameters: InferenceWish['parameters']): string => encodeBase64(pythonJson(parameters));

/** Asked of the supernode, not of the model: what may run instead, and what pays. */
const OF_EVERY_MODEL: readonly string[] = ['fallback_models', 'credit_note_id'];

/** Why a supernode with this menu cannot serve the wish; undefined where it can. */
export function unserved(menu: ModelMenu, { model, inferenceType, parameters }: InferenceWish): string | undefined {
  const entry = menu.find(({ name }) => name === model);
  if (!entry) return `it has no model ${model}; it has ${menu.map(({ name }) => name).join(', ') || 'none'}`;
  if (!entry.inferenceTypes.includes(inferenceType))
    return `${model} does not do ${inferenceType}; it does ${entry.inferenceTypes.join(', ')}`;
  const known = new Set(
    entry.parameters.filter(({ inferenceTypes }) => inferenceTypes.includes(inferenceType)).map(({ name }) => name),
  );
  const unknown = Object.keys(parameters).filter((name) => !known.has(name) && !OF_EVERY_MODEL.includes(name));
  return unknown.length === 0
    ? undefined
    : `${model} has no parameter ${unknown.join(', ')}; it has ${[...known].join(', ') || 'none'}`;
}

export const costTenthsOf = (response: InferenceAPIUsageResponse): number | undefined =>
  tenthsFromCredits(response.proposed_cost_of_request_in_inference_credits);

/** Why a quote for a request is not to be paid. Its hash, signature and signer are checked already. */
export function usageFaults(
  response: InferenceAPIUsageResponse,
  request: InferenceAPIUsageRequest,
  trackingAddress: string,
  height: number,
  isPaidByNote = false,
): string[] {
  const tenths = costTenthsOf(response);
  const patoshis = response.request_confirmation_message_amount_in_patoshis;
  const checks: [boolean, string][] = [
    [response.inference_request_id === request.inference_request_id, 'the quote is for another request'],
    // The change of the burn goes there: to a stranger's address it would be a present.
    [response.credit_usage_tracking_psl_address === trackingAddress, "the tracking address is not the pack's"],
    [tenths !== undefined && tenths > 0, 'the cost is not in tenths of credits'],
    isPaidByNote
      ? [patoshis === 0, 'something is to be burned although a credit note pays']
      : [tenths === patoshis, 'the amount to burn is not the cost'],
    [patoshis <= USAGE_BURN_PATOSHIS_MAX, 'the amount is too large for a burn of usage'],
    [response.max_block_height_to_include_confirmation_transaction > height, 'the time to pay is over already'],
  ];
  return checks.flatMap(([good, fault]) => (good ? [] : [fault]));
}

/** What came out: the JSON inside the base64, or the plain text where it is none. */
export function outputIn({ inference_result_json_base64 }: InferenceAPIOutputResult): Json {
  const text = decodeBase64Text(inference_result_json_base64) ?? '';
  try {
    return readJson(text);
  } catch {
    return text;
  }
}

/** Why a paid request was not served: a signed result of the type json that holds an error (inference spec 5.7). */
export interface Unserved {
  readonly code: string;
  readonly message: string;
  /** Names the supernode's signed word on the credits that it owes. */
  readonly creditNoteId?: string;
}
export function unservedIn(result: InferenceAPIOutputResult, output: Json): Unserved | undefined {
  const error = isJsonObject(output) && Object.keys(output).length === 1 ? output['error'] : undefined;
  if (!isJsonObject(error ?? null) || !isJsonType(result)) return undefined;
  const { code, message, credit_note_id: note } = error as Record<string, Json>;
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  return { code, message, ...(typeof note === 'string' && { creditNoteId: note }) };
}
function isJsonType({ inference_result_file_type_strings }: InferenceAPIOutputResult): boolean {
  try {
    const types = readJson(inference_result_file_type_strings);
    return isJsonObject(types) && types['output_text'] === 'json';
  } catch {
    return false;
  }
}
