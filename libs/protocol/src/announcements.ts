import { isJsonObject, readJson, type JsonObject } from './kernel/json.js';
import { pythonAsciiJson } from './kernel/json-text.js';
import { received, shapeFaultsOf, toJson } from './kernel/wire.js';
import { InferenceAPIOutputResult, InferenceAPIUsageRequest, InferenceAPIUsageResponse } from './messages/inference.js';

/** Types of the two messages between supernodes (inference spec 3.6). */
export const RESPONSE_ANNOUNCEMENT = 'inference_request_response_announcement_message';
export const RESULT_ANNOUNCEMENT = 'inference_request_result_announcement_message';

/** Inputs and results are announced by their beginning only; whole groups of four, so a cut text is still base64. */
export const ANNOUNCED_CHARACTERS = 32;

const cut = <M extends object>(message: M, field: keyof M & string): JsonObject => {
  const wire = toJson(message);
  const text = wire[field];
  if (typeof text === 'string') wire[field] = text.slice(0, ANNOUNCED_CHARACTERS);
  return wire;
};

/** What others keep of a request: its input is cut, so its hash cannot be checked any more; the response's can. */
export interface ResponseAnnouncement {
  readonly request: InferenceAPIUsageRequest;
  readonly response: InferenceAPIUsageResponse;
}

/** The JSON text to sign and send: the fields of both, where the response wins on `id` and `inference_request_id`. */
export const responseAnnouncement = (request: InferenceAPIUsageRequest, response: InferenceAPIUsageResponse): string =>
  pythonAsciiJson({ ...cut(request, 'model_input_data_json_b64'), ...toJson(response) });

/** `undefined` unless every field of both is there in its shape. The request comes without `id`: the one sent is the response's. */
export function readResponseAnnouncement(text: string): ResponseAnnouncement | undefined {
  const wire = objectIn(text);
  if (!wire) return undefined;
  const request = received(InferenceAPIUsageRequest, wire);
  delete request.id;
  const response = received(InferenceAPIUsageResponse, wire);
  return isWhole(request) && isWhole(response) ? { request, response } : undefined;
}

/** What an announced result says of its request. */
export type ResultContext = Pick<
  InferenceAPIUsageRequest,
  'model_parameters_json_b64' | 'requested_model_canonical_string' | 'model_inference_type_string'
>;
/** What others keep of a result: its contents are cut, so its hash cannot be checked any more. */
export interface ResultAnnouncement {
  readonly result: InferenceAPIOutputResult;
  readonly context: ResultContext;
}

/** The JSON text to sign and send: the fields of the result and three of the request. */
export const resultAnnouncement = (result: InferenceAPIOutputResult, context: ResultContext): string =>
  pythonAsciiJson({ ...cut(result, 'inference_result_json_base64'), ...contextOf(context) });

/** `undefined` unless every field is there in its shape. */
export function readResultAnnouncement(text: string): ResultAnnouncement | undefined {
  const wire = objectIn(text);
  if (!wire) return undefined;
  const result = received(InferenceAPIOutputResult, wire);
  const about = received(InferenceAPIUsageRequest, wire);
  const context = contextOf(about);
  const isContextWhole = !shapeFaultsOf(about).some(({ field }) => field in context);
  return isWhole(result) && isContextWhole ? { result, context } : undefined;
}

const contextOf = (from: ResultContext): ResultContext => ({
  model_parameters_json_b64: from.model_parameters_json_b64,
  requested_model_canonical_string: from.requested_model_canonical_string,
  model_inference_type_string: from.model_inference_type_string,
});

const isWhole = (message: object): boolean => shapeFaultsOf(message).length === 0;

function objectIn(text: string): JsonObject | undefined {
  try {
    const wire = readJson(text);
    return isJsonObject(wire) ? wire : undefined;
  } catch {
    return undefined;
  }
}
