import { decodeBase64Text, isJsonObject, readJson, Refusal, type Json } from '#protocol';
import type { InferenceType, Input } from '../providers/provider.js';

/** Far more than any model reads; larger bodies are stored and carried for nothing. */
const INPUT_B64_LENGTH_MAX = 8 * 2 ** 20;
/** The names under which clients wrap a prompt (inference spec 1.3). */
const WRAPPERS = ['prompt', 'imagePrompt', 'input_prompt', 'text'];

/** What a request of this type is about. Throws a Refusal that names what is wrong with it. */
export function inputOf(_type: InferenceType, inputB64: string): Input {
  return { text: promptOf(inputB64) };
}

/**
 * The prompt in `model_input_data_json_b64`, decoded once: a JSON string is that string; an object whose one member is a string under
 * a known name is that string; anything else is the text as it stands. Refuses what is no base64 of UTF-8, and an empty prompt.
 */
export function promptOf(inputB64: string): string {
  if (inputB64.length > INPUT_B64_LENGTH_MAX) {
    throw new Refusal('bad-request', `model_input_data_json_b64 is longer than ${INPUT_B64_LENGTH_MAX} characters`);
  }
  const text = textOfBase64(inputB64, 'model_input_data_json_b64');
  const prompt = unwrapped(text);
  if (prompt.trim() === '') throw new Refusal('bad-request', 'model_input_data_json_b64 holds no prompt');
  return prompt;
}

function unwrapped(text: string): string {
  if (!/^\s*["{]/.test(text)) return text;
  const json = jsonOrNothing(text);
  if (typeof json === 'string') return json;
  if (!isJsonObject(json)) return text;
  const members = Object.entries(json);
  const [name, value] = members[0] ?? [];
  return members.length === 1 && WRAPPERS.includes(name!) && typeof value === 'string' ? value : text;
}

/** The UTF-8 text in a field; the field is named in the refusal. */
export function textOfBase64(base64: string, field: string): string {
  const text = decodeBase64Text(base64);
  if (text === undefined) throw new Refusal('bad-request', `${field} is not base64 of UTF-8 text`);
  return text;
}

export function jsonOrNothing(text: string): Json | undefined {
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}
