import { isAxiosError, type AxiosInstance } from 'axios';
import { PythonNumber } from '#protocol';
import {
  type InferenceType,
  type Model,
  type ModelParameter,
  type Outcome,
  type Pricing,
  type Provider,
  ProviderFailure,
  type Run,
  type Surroundings,
} from './provider.js';
import { completionsOutput, embeddingWorkload, estimateTokens, menuEntry, textParameters, textWorkload } from './kit/text.js';

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

interface Options {
  /** Without a `/` at its end. */
  readonly url: string;
  readonly key: string | undefined;
  /** Asked of the server when empty. */
  readonly models: readonly string[];
  readonly pricing: Pricing;
}

export const openAiCompatible: Provider<Options> = {
  name: 'openai-compatible',
  title: 'OpenAI-compatible server',
  setUp(env) {
    const url = env.optional(
      'OPENAI_COMPATIBLE_URL',
      'Base URL of a server that speaks /v1/chat/completions, e.g. http://127.0.0.1:11434/v1',
    );
    const key = env.secret('OPENAI_COMPATIBLE_API_KEY', 'Its key, if it wants one');
    const models = env.list('OPENAI_COMPATIBLE_MODELS', [], 'Models to offer; asked of the server when empty');
    const input = env.number('OPENAI_COMPATIBLE_USD_PER_MILLION_INPUT_TOKENS', 0.5, 'Price of a million tokens in');
    const output = env.number('OPENAI_COMPATIBLE_USD_PER_MILLION_OUTPUT_TOKENS', 1.5, 'Price of a million tokens out');
    if (url === undefined) return undefined;
    const pricing: Pricing = { per: 'million tokens', input: String(input), output: String(output) };
    return { url: url.replace(/\/+$/, ''), key, models, pricing };
  },
  abilities: {
    text_completion: { count: textWorkload(estimateTokens), run: completions },
    embedding: { count: embeddingWorkload(estimateTokens), run: embeddings },
  },
  async models(surroundings) {
    const { models, pricing } = surroundings.options;
    const names = models.length > 0 ? models : await listedModels(surroundings);
    return names.map((name) => ({ entry: entryOf(name), upstream: name, pricing }));
  },
  checkKey: async (surroundings) => void (await listedModels(surroundings)),
};

/** Nothing in the protocol tells embedding models apart; their names do. */
const typesOf = (model: string): InferenceType[] => (/embed|\bbge\b|minilm/i.test(model) ? ['embedding'] : ['text_completion']);
const entryOf = (model: string): Model['entry'] =>
  menuEntry({
    model_name: model,
    description: `${model}, served by this supernode's own model server`,
    supported_inference_type_strings: typesOf(model),
    model_parameters: parameters,
  });

async function listedModels(surroundings: Surroundings<Options>): Promise<string[]> {
  const body = await call(surroundings, 'GET', `${surroundings.options.url}/models`, undefined, {
    timeoutMs: QUESTION_TIMEOUT_MS,
  });
  const data = body['data'];
  if (!Array.isArray(data)) throw malformed('a list of models without data');
  return (data as unknown[])
    .map((entry) => (isBody(entry) ? entry['id'] : undefined))
    .filter((id): id is string => typeof id === 'string' && id !== '' && id.length <= MODEL_NAME_LENGTH_MAX)
    .slice(0, MODELS_MAX);
}

/** One call for each completion, as the original does: many servers ignore `n`. */
async function completions(run: Run<Options>): Promise<Outcome> {
  const texts: string[] = [];
  const usages: Body[] = [];
  for (let i = 0; i < Number(run.parameters['number_of_completions_to_generate'] ?? 1); i++) {
    const body = await call(run, 'POST', `${run.options.url}/chat/completions`, chatRequest(run, i), {
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
function chatRequest({ model, input, parameters }: Run<Options>, completion: number): Body {
  const system = parameters['system_message'];
  const seed = parameters['seed'];
  const format = parameters['response_format'];
  const stop = stopTexts(parameters['stop']);
  return {
    model,
    messages: [...(system ? [{ role: 'system', content: system }] : []), { role: 'user', content: input.text }],
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

async function embeddings(run: Run<Options>): Promise<Outcome> {
  const body = await call(
    run,
    'POST',
    `${run.options.url}/embeddings`,
    { model: run.model, input: run.input.text },
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
  { http, options: { key }, signal }: Surroundings<Options>,
  method: 'GET' | 'POST',
  url: string,
  data: Body | undefined,
  limits: CallOptions,
): Promise<Body> {
  const { timeoutMs, idempotencyKey } = limits;
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
