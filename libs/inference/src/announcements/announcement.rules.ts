import {
  InferenceAPIOutputResult,
  InferenceAPIUsageRequest,
  InferenceAPIUsageResponse,
  isJsonObject,
  readJson,
  received,
  shapeFaultsOf,
  toJson,
  writeJson,
  type Json,
  type JsonObject,
  type MessageClass,
} from '#protocol';

/** Announcements carry the first characters only of what may be large or private (inference spec 3.6). */
const SHOWN_CHARACTERS = 32;
/** Nothing that is announced is longer; parameters are limited to less on arrival. */
const ANNOUNCEMENT_LENGTH_MAX = 512 * 1024;

/** The request's fields with the response's laid over them. */
export function responseAnnouncement(request: InferenceAPIUsageRequest, response: InferenceAPIUsageResponse): string {
  const input = request.model_input_data_json_b64.slice(0, SHOWN_CHARACTERS);
  return writeJson({ ...toJson(request), model_input_data_json_b64: input, ...toJson(response) });
}

/** The result's fields, and what was asked for. */
export function resultAnnouncement(request: InferenceAPIUsageRequest, result: InferenceAPIOutputResult): string {
  return writeJson({
    ...toJson(result),
    inference_result_json_base64: result.inference_result_json_base64.slice(0, SHOWN_CHARACTERS),
    model_parameters_json_b64: request.model_parameters_json_b64,
    requested_model_canonical_string: request.requested_model_canonical_string,
    model_inference_type_string: request.model_inference_type_string,
  });
}

/** The messages in an announced response; `undefined` where it does not have their shape. */
export function announcedResponse(
  text: string,
): { request: InferenceAPIUsageRequest; response: InferenceAPIUsageResponse } | undefined {
  const json = objectIn(text);
  const request = json && shaped(InferenceAPIUsageRequest, json);
  const response = json && shaped(InferenceAPIUsageResponse, json);
  return request && response && { request, response };
}

export function announcedResult(text: string): InferenceAPIOutputResult | undefined {
  const json = objectIn(text);
  return json && shaped(InferenceAPIOutputResult, json);
}

function objectIn(text: string): JsonObject | undefined {
  if (text.length > ANNOUNCEMENT_LENGTH_MAX) return undefined;
  try {
    const json: Json = readJson(text);
    return isJsonObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function shaped<M extends object>(type: MessageClass<M>, json: JsonObject): M | undefined {
  const message = received(type, json);
  return shapeFaultsOf(message).length === 0 ? message : undefined;
}
