import { isAxiosError, type AxiosInstance } from 'axios';
import { PythonNumber } from '#protocol';
import type { InferenceSettings } from '#config';
import {
  type Ability,
  type InferenceType,
  type ModelMenuEntry,
  type ModelParameter,
  type Outcome,
  type Provider,
  ProviderFailure,
  type Run,
  type Surroundings,
  type Workload,
} from './provider.js';
import {
  completionsOutput,
  embeddingWorkload,
  estimateTokens,
  menuEntry,
  textParameters,
  textWorkload,
  type TokenCounter,
} from './text-abilities.js';

/** Any server that speaks `/v1/chat/completions` and `/v1/models`: Ollama, llama.cpp, vLLM and many more. */
const TOKENS_MAX = 32_768;
const MODELS_MAX = 200;
const MODEL_NAME_LENGTH_MAX = 200;
const EMBEDDING_DIMENSIONS_MAX = 65_536;
const QUESTION_TIMEOUT_MS = 10_000;
const REASON_LENGTH_MAX = 200;
const RESPONSE_FORMATS = ['text', 'json_object'] as const;

type Body = Record<string, unknown>;

const forText = { inference_types_parameter_applies_to: ['text_completion'] } as const;
const parameters: readonly ModelParameter[] = [
  ...textParameters({ tokensMax: TOKENS_MAX }),
  {
    name: 'system_message',
    type: 'string',
    default: '',
    description: '[Optional] Instructions that stand before the prompt',
    ...forText,
  },
  {
    name: 'top_p',
    type: 'float',
    default: null,
    minimum: 0,
    maximum: 1,
    description: '[Optional] Share of the likeliest tokens to draw from',
    ...forText,
  },
  {
    name: 'stop',
    type: 'string',
    default: '',
    description: '[Optional] Text that ends the answer, or a JSON list of up to four',
    ...forText,
  },
  {
    name: 'presence_penalty',
    type: 'float',
    default: null,
    minimum: -2,
    maximum: 2,
    description: '[Optional] Above 0 favours new subjects',
    ...forText,
  },
  {
    name: 'frequency_penalty',
    type: 'float',
    default: null,
    minimum: -2,
    maximum: 2,
    description: '[Optional] Above 0 avoids repeated words',
    ...forText,
  },
  {
    name: 'response_format',
    type: 'string',
    default: '',
    options: ['', ...RESPONSE_FORMATS],
    description: '[Optional] json_object asks for JSON',
    ...forText,
  },
];

export function openAiCompatible(settings: InferenceSettings, counter: TokenCounter = estimateTokens): Provider | undefined {
  const { openAiCompatibleUrl: url, openAiCompatibleKey: key, openAiCompatibleModels: offered } = settings;
  if (url === undefined) return undefined;
  const base = url.replace(/\/+$/, '');
  const price = (work: Workload): number =>
    ((work.inputTokens * settings.openAiCompatibleUsdPerMillionInputTokens +
      work.outputTokensMax * settings.openAiCompatibleUsdPerMillionOutputTokens) *
      work.completions) /
    1e6;

  const textCompletion: Ability = { count: textWorkload(counter), price, run: (run) => completions(run, base) };
  const embedding: Ability = { count: embeddingWorkload(counter), price, run: (run) => embeddings(run, base) };
  return {
    name: 'openai-compatible',
    key,
    abilities: { text_completion: textCompletion, embedding },
    models: async (surroundings) => (offered.length > 0 ? offered : await listedModels(surroundings, base)).map(entryOf),
    checkKey: async (surroundings) => void (await listedModels(surroundings, base)),
  };
}

/** Nothing in the protocol tells embedding models apart; their names do. */
const typesOf = (model: string): InferenceType[] => (/embed|\bbge\b|minilm/i.test(model) ? ['embedding'] : ['text_completion']);
const entryOf = (model: string): ModelMenuEntry =>
  menuEntry({
    model_name: model,
    description: `${model}, served by this supernode's own model server`,
    supported_inference_type_strings: typesOf(model),
    model_parameters: parameters,
  });

async function listedModels(surroundings: Surroundings, base: string): Promise<string[]> {
  const body = await call(surroundings, 'GET', `${base}/models`, undefined, { timeoutMs: QUESTION_TIMEOUT_MS });
  const data = body['data'];
  if (!Array.isArray(data)) throw malformed('a list of models without data');
  return (data as unknown[])
    .map((entry) => (isBody(entry) ? entry['id'] : undefined))
    .filter((id): id is string => typeof id === 'string' && id !== '' && id.length <= MODEL_NAME_LENGTH_MAX)
    .slice(0, MODELS_MAX);
}

/** One call for each completion, as the original does: many servers ignore `n`. */
async function completions(run: Run, base: string): Promise<Outcome> {
  const texts: string[] = [];
  const usages: Body[] = [];
  for (let i = 0; i < Number(run.parameters['number_of_completions_to_generate'] ?? 1); i++) {
    const body = await call(run, 'POST', `${base}/chat/completions`, chatRequest(run, i), {
      idempotencyKey: `${run.idempotencyKey}-${i + 1}`,
    });
    texts.push(contentOf(body));
    usages.push(isBody(body['usage']) ? body['usage'] : {});
  }
  return {
    ...completionsOutput(texts),
    files: ['NA'],
    usage: { inputTokens: sumOf(usages, 'prompt_tokens'), outputTokens: sumOf(usages, 'completion_tokens') },
  };
}

/** Our parameter names to theirs; what is not set is left out, so that the server's own default counts. */
function chatRequest({ model, input, parameters }: Run, completion: number): Body {
  const system = parameters['system_message'];
  const seed = parameters['seed'];
  const format = parameters['response_format'];
  const stop = stopTexts(parameters['stop']);
  return {
    model,
    messages: [...(system ? [{ role: 'system', content: system }] : []), { role: 'user', content: input }],
    stream: false,
    max_tokens: parameters['number_of_tokens_to_generate'],
    temperature: parameters['temperature'],
    top_p: parameters['top_p'],
    presence_penalty: parameters['presence_penalty'],
    frequency_penalty: parameters['frequency_penalty'],
    ...(typeof seed === 'number' && { seed: seed + completion }),
    ...(stop.length > 0 && { stop }),
    ...(format && { response_format: { type: format } }),
  };
}

/** A JSON list of texts, or one text. */
function stopTexts(value: string | number | undefined): string[] {
  if (value === undefined || value === '') return [];
  try {
    const list: unknown = JSON.parse(String(value));
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list.slice(0, 4);
  } catch {
    // a plain text
  }
  return [String(value)];
}

function contentOf(body: Body): string {
  const choice: unknown = Array.isArray(body['choices']) ? body['choices'][0] : undefined;
  const message = isBody(choice) ? choice['message'] : undefined;
  const content = isBody(message) ? message['content'] : undefined;
  if (typeof content !== 'string') throw malformed('a completion without content');
  return content.toWellFormed();
}

async function embeddings(run: Run, base: string): Promise<Outcome> {
  const body = await call(
    run,
    'POST',
    `${base}/embeddings`,
    { model: run.model, input: run.input },
    { idempotencyKey: run.idempotencyKey },
  );
  const first: unknown = Array.isArray(body['data']) ? body['data'][0] : undefined;
  const vector = isBody(first) ? first['embedding'] : undefined;
  if (
    !Array.isArray(vector) ||
    vector.length === 0 ||
    vector.length > EMBEDDING_DIMENSIONS_MAX ||
    !vector.every(Number.isFinite)
  ) {
    throw malformed('an embedding that is no list of numbers');
  }
  const usage = isBody(body['usage']) ? { inputTokens: body['usage']['prompt_tokens'], outputTokens: 0 } : undefined;
  return { output: (vector as number[]).map((x) => PythonNumber.float(x)), outputText: 'embedding', files: ['NA'], usage };
}

/** Undefined where one of them is missing; nonsense stays nonsense, for the caller to judge. */
const sumOf = (usages: readonly Body[], name: string): unknown =>
  usages.some((usage) => typeof usage[name] !== 'number')
    ? undefined
    : usages.reduce((sum, usage) => sum + (usage[name] as number), 0);

interface CallOptions {
  readonly timeoutMs?: number;
  readonly idempotencyKey?: string;
}
async function call(
  { http, key, signal }: Surroundings,
  method: 'GET' | 'POST',
  url: string,
  data: Body | undefined,
  options: CallOptions,
): Promise<Body> {
  const { timeoutMs, idempotencyKey } = options;
  const headers = {
    ...(key && { Authorization: `Bearer ${key}` }),
    ...(idempotencyKey && { 'Idempotency-Key': idempotencyKey }),
  };
  let text: string;
  try {
    text = await textOf(http, { method, url, headers, signal, ...(data && { data }), ...(timeoutMs && { timeout: timeoutMs }) });
  } catch (error) {
    throw failureOf(error, key);
  }
  return parsed(text) ?? fail(malformed('something that is not JSON'));
}

async function textOf(http: AxiosInstance, request: object): Promise<string> {
  const response = await http.request<string>({ ...request, responseType: 'text', transformResponse: (body: string) => body });
  return response.data;
}

function failureOf(error: unknown, key: string | undefined): ProviderFailure {
  if (!isAxiosError(error)) throw error;
  if (error.code === 'ERR_CANCELED')
    return new ProviderFailure('deadline_exceeded', 'The model service did not answer in time', true);
  if (error.message.startsWith('maxContentLength'))
    return new ProviderFailure('answer_too_large', 'The answer of the model service is too large', false);
  const status = error.response?.status;
  if (status === undefined)
    return new ProviderFailure('unavailable', `The model service cannot be reached (${error.code ?? 'no answer'})`, true);
  if (status === 401 || status === 403)
    return new ProviderFailure('refused', `The model service does not accept this supernode's key (HTTP ${status})`, false);
  if (status === 408 || status === 429 || status >= 500)
    return new ProviderFailure('unavailable', `The model service is overloaded or broken (HTTP ${status})`, true);
  return new ProviderFailure(
    'refused',
    `The model service refused the request (HTTP ${status})${reasonIn(error.response?.data, key)}`,
    false,
  );
}

/** `{"error": {"message": …}}`, `{"error": …}` or `{"detail": …}`, shortened, the key struck out. */
function reasonIn(data: unknown, key: string | undefined): string {
  const body = typeof data === 'string' ? parsed(data) : undefined;
  const error = body?.['error'] ?? body?.['detail'];
  const reason = isBody(error) ? error['message'] : error;
  if (typeof reason !== 'string') return '';
  const clean = (key ? reason.replaceAll(key, '***') : reason).replace(/[\u0000-\u001f\u007f]/g, ' ');
  return `: ${clean.slice(0, REASON_LENGTH_MAX).toWellFormed()}`;
}

function parsed(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isBody(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
const isBody = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value);
const malformed = (what: string): ProviderFailure =>
  new ProviderFailure('malformed_answer', `The model service answered with ${what}`, true);
const fail = (error: Error): never => {
  throw error;
};
