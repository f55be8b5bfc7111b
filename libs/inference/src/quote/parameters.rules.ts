import { isJsonObject, PythonNumber, Refusal, writeJson, type Json } from '#protocol';
import { jsonOrNothing, textOfBase64 } from './input.rules.js';
import type { InferenceType, ModelMenuEntry, ModelParameter, ParameterValues } from '../providers/provider.js';

const TEXT_LENGTH_MAX = 100_000;
/** They travel in announcements to other supernodes. */
const PARAMETERS_B64_LENGTH_MAX = 256 * 1024;
const SUFFIX = / \[Optional\]$/;
/** Not of a model: what may run instead when the one that is asked for does not deliver. */
const FALLBACKS = 'fallback_models';
const FALLBACKS_MAX = 3;
/** Nor this: what pays instead of a burn. */
const CREDIT_NOTE = 'credit_note_id';

/** Other names in use for the same thing: of other models' menus and of older ones. */
const ALIASES: Readonly<Record<string, string>> = {
  max_tokens: 'number_of_tokens_to_generate',
  system_prompt: 'system_message',
  stop_sequences: 'stop',
};
/** Existing clients send these along for every model; without a value they ask for nothing. */
const SENT_BY_CLIENTS = new Set([
  'grammar_file_string',
  'number_of_completions_to_generate',
  'temperature',
  'number_of_tokens_to_generate',
]);

/**
 * The parameters of a request, once and for all: price and execution use this set. Numbers may come as text, as web pages send them;
 * `""`, `{}` and null mean absent; beyond a limit is clamped to it; an unknown name, or a value that cannot be read, is refused by name.
 */
export function parametersOf(parametersB64: string, model: ModelMenuEntry, type: InferenceType): ParameterValues {
  const known = new Map(
    model.model_parameters.filter((p) => p.inference_types_parameter_applies_to.includes(type)).map((p) => [p.name, p]),
  );
  const values: Record<string, number | string> = {};
  for (const [sentName, sent] of membersOf(parametersB64)) {
    const name = canonicalName(sentName);
    if (name === FALLBACKS || name === CREDIT_NOTE) continue;
    if (isAbsent(sent)) {
      if (known.has(name) || anyModelHas(model, name) || SENT_BY_CLIENTS.has(name)) continue;
      throw refused(sentName, `is unknown to ${model.model_name}`);
    }
    const parameter = known.get(name);
    if (!parameter) {
      // A page offers one form for all types: what belongs to another type of work asks for nothing here.
      if (anyModelHas(model, name) || (type !== 'text_completion' && SENT_BY_CLIENTS.has(name))) continue;
      throw refused(sentName, `is unknown to ${model.model_name} for ${type}; known: ${[...known.keys()].join(', ') || 'none'}`);
    }
    const value = valueOf(parameter, sent);
    if (name in values && values[name] !== value) throw refused(sentName, 'is given twice with different values');
    values[name] = value;
  }
  for (const { name, default: fallback } of known.values()) {
    if (!(name in values) && fallback !== null && fallback !== '') values[name] = fallback;
  }
  return values;
}

/** Models that the user allows in place of the one that is asked for: a list of names, or names with commas between. */
export function fallbackModelsIn(parametersB64: string): string[] {
  const sent = membersOf(parametersB64).find(([name]) => canonicalName(name) === FALLBACKS)?.[1] ?? null;
  if (isAbsent(sent)) return [];
  const names = typeof sent === 'string' ? sent.split(',').map((name) => name.trim()) : sent;
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string' && name !== '')) {
    throw refused(FALLBACKS, 'is no list of model names');
  }
  if (names.length > FALLBACKS_MAX) throw refused(FALLBACKS, `names more than ${FALLBACKS_MAX} models`);
  return names as string[];
}

/** The credit note that the user wants to pay with. */
export function creditNoteIn(parametersB64: string): string | undefined {
  const sent = membersOf(parametersB64).find(([name]) => canonicalName(name) === CREDIT_NOTE)?.[1] ?? null;
  if (isAbsent(sent)) return undefined;
  if (typeof sent !== 'string') throw refused(CREDIT_NOTE, 'is not the id of a credit note');
  return sent;
}

function membersOf(parametersB64: string): [string, Json][] {
  if (parametersB64 === '') return [];
  if (parametersB64.length > PARAMETERS_B64_LENGTH_MAX) {
    throw new Refusal('bad-request', `model_parameters_json_b64 is longer than ${PARAMETERS_B64_LENGTH_MAX} characters`);
  }
  const json = jsonOrNothing(textOfBase64(parametersB64, 'model_parameters_json_b64'));
  if (!isJsonObject(json)) throw new Refusal('bad-request', 'model_parameters_json_b64 is not base64 of a JSON object');
  return Object.entries(json);
}

/** Older menus carry ` [Optional]` in the name itself, and clients echo it. */
function canonicalName(sent: string): string {
  const name = sent.replace(SUFFIX, '');
  return Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name;
}
const anyModelHas = (model: ModelMenuEntry, name: string): boolean => model.model_parameters.some((p) => p.name === name);
const isAbsent = (value: Json): boolean =>
  value === null ||
  (typeof value === 'string' && value.trim() === '') ||
  (isJsonObject(value) && Object.keys(value).length === 0);

function valueOf(parameter: ModelParameter, sent: Json): number | string {
  switch (parameter.type) {
    case 'int':
      return clamped(parameter, wholeNumber(parameter.name, sent));
    case 'float':
      return clamped(parameter, numberIn(sent) ?? complain(parameter.name, 'is not a number'));
    case 'string':
      return textIn(parameter, sent);
  }
}

function wholeNumber(name: string, sent: Json): number {
  const value = numberIn(sent);
  if (value === undefined || !Number.isInteger(value)) throw refused(name, 'is not a whole number');
  return value;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
function numberIn(sent: Json): number | undefined {
  const value =
    sent instanceof PythonNumber ? sent.value : typeof sent === 'string' && NUMBER.test(sent.trim()) ? Number(sent) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

const clamped = ({ minimum = -Infinity, maximum = Infinity }: ModelParameter, value: number): number =>
  Math.min(Math.max(value, minimum), maximum) + 0;

/**
 * Clients know no type for objects, lists and switches, so these are texts of JSON; one that comes as itself is written as such a text.
 * `{"type": …}` alone (`response_format`) is that word.
 */
function textIn({ name, options }: ModelParameter, sent: Json): string {
  const isWord = isJsonObject(sent) && typeof sent['type'] === 'string' && Object.keys(sent).length === 1;
  const isJson = isJsonObject(sent) || Array.isArray(sent) || typeof sent === 'boolean';
  const text = isWord ? sent['type'] : isJson ? writeJson(sent) : sent;
  if (typeof text !== 'string') throw refused(name, 'is not a text');
  if (text.length > TEXT_LENGTH_MAX) throw refused(name, `is longer than ${TEXT_LENGTH_MAX} characters`);
  if (options && !options.includes(text)) throw refused(name, `is none of ${options.filter((o) => o !== '').join(', ')}`);
  return text;
}

const refused = (name: string, problem: string): Refusal =>
  new Refusal('bad-request', `Parameter '${name.slice(0, 100)}' ${problem}`);
const complain = (name: string, problem: string): never => {
  throw refused(name, problem);
};
