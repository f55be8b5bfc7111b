import type { InferenceType, Model, ModelParameter, Pricing, Surroundings } from './provider.js';
import { type ChatOptions, chatProvider } from './kit/chat.js';
import { telling } from './kit/chat-parameters.js';
import { idsIn } from './kit/answers.js';
import { malformed } from './kit/failures.js';
import { callJson } from './kit/http.js';
import { menuEntry, textParameters } from './kit/text.js';

const TOKENS_MAX = 32_768;
const MODELS_MAX = 200;
const MODEL_NAME_LENGTH_MAX = 200;
const QUESTION_TIMEOUT_MS = 10_000;

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
    options: ['', 'text', 'json_object'],
    description: '[Optional] json_object asks for JSON',
    ...forText,
  },
];

interface Options extends ChatOptions {
  /** Asked of the server when empty. */
  readonly models: readonly string[];
  readonly pricing: Pricing;
}

/** Any server that speaks `/v1/chat/completions` and `/v1/models`: Ollama, llama.cpp, vLLM and many more. */
export const openAiCompatible = chatProvider<Options>({
  name: 'openai-compatible',
  title: 'OpenAI-compatible server',
  setUp(env) {
    const url = env.optional(
      'OPENAI_COMPATIBLE_URL',
      'Base URL of a server that speaks /v1/chat/completions, e.g. http://127.0.0.1:11434/v1',
    );
    const key = env.secret('OPENAI_COMPATIBLE_API_KEY', 'Its key, if it wants one');
    const models = env.list('OPENAI_COMPATIBLE_MODELS', [], 'Models to offer; asked of the server when empty');
    const stream = env.flag('OPENAI_COMPATIBLE_STREAM', true, 'Ask for streams; 0 for a server that knows no stream_options');
    const input = env.number('OPENAI_COMPATIBLE_USD_PER_MILLION_INPUT_TOKENS', 0.5, 'Price of a million tokens in');
    const output = env.number('OPENAI_COMPATIBLE_USD_PER_MILLION_OUTPUT_TOKENS', 1.5, 'Price of a million tokens out');
    if (url === undefined) return undefined;
    const pricing: Pricing = { per: 'million tokens', input: String(input), output: String(output) };
    return { url: url.replace(/\/+$/, ''), key, stream, models, pricing };
  },
  types: ['text_completion', 'embedding'],
  parameters: telling(
    ['number_of_tokens_to_generate', 'max_tokens'],
    'temperature',
    'top_p',
    'stop',
    'seed',
    'presence_penalty',
    'frequency_penalty',
    'response_format',
  ),
  streams: 'usage on request',
  // A model may have to be loaded first.
  idleMs: 300_000,
  idempotent: true,
  async models(around) {
    const { models, pricing } = around.options;
    const names = models.length > 0 ? models : await listedModels(around);
    return names.map((name) => ({ entry: entryOf(name), upstream: name, pricing }));
  },
});

/** Nothing in the protocol tells embedding models apart; their names do. */
const typesOf = (model: string): InferenceType[] => (/embed|\bbge\b|minilm/i.test(model) ? ['embedding'] : ['text_completion']);
const entryOf = (model: string): Model['entry'] =>
  menuEntry({
    model_name: model,
    description: `${model}, served by this supernode's own model server`,
    supported_inference_type_strings: typesOf(model),
    model_parameters: parameters,
  });

async function listedModels(around: Surroundings<Options>): Promise<string[]> {
  const { url, key } = around.options;
  const body = await callJson(around, {
    method: 'GET',
    url: `${url}/models`,
    headers: key ? { Authorization: `Bearer ${key}` } : {},
    timeoutMs: QUESTION_TIMEOUT_MS,
    secret: key,
  });
  const ids = idsIn(body);
  if (!ids) throw malformed('a list of models without data');
  return ids
    .filter((id): id is string => typeof id === 'string' && id !== '' && id.length <= MODEL_NAME_LENGTH_MAX)
    .slice(0, MODELS_MAX);
}
