import { Refusal } from '#protocol';
import type { ParameterValues } from '../provider.js';
import { isRecord, parsed } from './failures.js';

/** How a parameter of the menu is told to a vendor: under which name, and in which form. */
interface Told {
  readonly as: string;
  /** Throws a Refusal for what the vendor would not take; `undefined` is left out. `completion` counts from 0. */
  readonly read?: (value: number | string, completion: number) => unknown;
}
export type Telling = Readonly<Record<string, Told>>;

/** Most of a JSON parameter; the tokens of tools and schemas are paid for besides. */
const TOOLS_MAX = 64;
const STOPS_MAX = 4;
const BIASES_MAX = 1024;
const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;

const refuse = (name: string, expected: string): never => {
  throw new Refusal('bad-request', `Parameter '${name}' is not ${expected}`);
};

/** Booleans travel as text, since clients know no other type for them. */
const flag = (name: string) => (value: number | string) => {
  if (/^(true|1|yes|on)$/i.test(String(value))) return true;
  return /^(false|0|no|off)$/i.test(String(value)) ? false : refuse(name, 'true or false');
};

/** A JSON list of texts, or one text. */
function stopTexts(value: number | string): string[] | undefined {
  const text = String(value);
  const list = parsed(text);
  if (!Array.isArray(list)) return [text];
  if (!list.every((item) => typeof item === 'string' && item !== '')) refuse('stop', 'a text or a list of texts');
  return list.length > 0 ? (list as string[]).slice(0, STOPS_MAX) : undefined;
}

/** `text`, `json_object`, or a JSON object with the type `json_schema`. */
function responseFormat(value: number | string): unknown {
  if (value === 'text') return undefined;
  if (value === 'json_object' || value === 'json') return { type: 'json_object' };
  const format = parsed(String(value));
  if (isRecord(format) && format['type'] === 'json_object') return { type: 'json_object' };
  if (isRecord(format) && format['type'] === 'text') return undefined;
  if (isRecord(format) && format['type'] === 'json_schema' && isRecord(format['json_schema'])) return format;
  return refuse('response_format', 'text, json_object or a JSON object with type json_schema and its json_schema');
}

/** A JSON list of functions: `[{"type": "function", "function": {"name", "description", "parameters"}}]`. */
function tools(value: number | string): unknown[] | undefined {
  const list = parsed(String(value));
  const isTool = (tool: unknown): boolean => {
    const made = isRecord(tool) && tool['type'] === 'function' ? tool['function'] : undefined;
    return isRecord(made) && typeof made['name'] === 'string' && TOOL_NAME.test(made['name']);
  };
  if (!Array.isArray(list) || list.length > TOOLS_MAX || !list.every(isTool))
    return refuse('tools', `a JSON list of up to ${TOOLS_MAX} functions`);
  return list.length > 0 ? list : undefined;
}

/** A word, or `{"type": "function", "function": {"name"}}`. */
function toolChoice(value: number | string): unknown {
  const text = String(value);
  if (['auto', 'none', 'required', 'any'].includes(text)) return text;
  const choice = parsed(text);
  const named =
    isRecord(choice) && choice['type'] === 'function' && isRecord(choice['function']) ? choice['function'] : undefined;
  return typeof named?.['name'] === 'string'
    ? { type: 'function', function: { name: named['name'] } }
    : refuse('tool_choice', 'auto, none, required or the name of a function in JSON');
}

/** `{"50256": -100}`. */
function logitBias(value: number | string): unknown {
  const bias = parsed(String(value));
  const isFit = ([token, weight]: [string, unknown]): boolean =>
    /^\d{1,9}$/.test(token) && typeof weight === 'number' && Math.abs(weight) <= 100;
  return isRecord(bias) && Object.keys(bias).length <= BIASES_MAX && Object.entries(bias).every(isFit)
    ? bias
    : refuse('logit_bias', 'a JSON object of token numbers and weights from -100 to 100');
}

/** Another one for each completion, so that they differ. */
const seed = (value: number | string, completion: number): number => Number(value) + completion;

const forms: Readonly<Record<string, NonNullable<Told['read']>>> = {
  seed,
  stop: stopTexts,
  response_format: responseFormat,
  tools,
  tool_choice: toolChoice,
  logit_bias: logitBias,
  parallel_tool_calls: flag('parallel_tool_calls'),
  // Vectors are stored as numbers, whatever a client would like them to travel in.
  encoding_format: () => 'float',
  safe_prompt: flag('safe_prompt'),
};

/** Under the vendor's name, in the usual form; `['seed', 'random_seed']` renames. */
export function telling(...names: readonly (string | readonly [ours: string, theirs: string])[]): Telling {
  return Object.fromEntries(
    names.map((name) => {
      const [ours, theirs] = typeof name === 'string' ? [name, name] : name;
      const read = forms[ours];
      return [ours, { as: theirs, ...(read && { read }) }];
    }),
  );
}

/** What is not set is left out, so that the vendor's own default counts; what the table does not name is not sent. Throws a Refusal. */
export function toldParameters(table: Telling, parameters: ParameterValues, completion: number): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [name, { as, read }] of Object.entries(table)) {
    const value = parameters[name];
    if (value === undefined || value === '') continue;
    const told = read ? read(value, completion) : value;
    if (told !== undefined) body[as] = told;
  }
  return body;
}
