import { chatProvider } from './kit/chat.js';
import { telling } from './kit/chat-parameters.js';
import { openAiImageTokens } from './kit/image-tokens.js';
import { openAiTokens } from './kit/tokens.js';
import { keyAndUrl } from './kit/vendor.js';

const everywhere = ['seed', 'response_format', 'tools', 'tool_choice', 'parallel_tool_calls'] as const;
/** They think before they answer: other names, and nothing that bends the choice of tokens. */
const thinks = (model: string): boolean => /^(o\d|gpt-[5-9])/.test(model) && !model.includes('-chat');
const thinking = telling(
  ['number_of_tokens_to_generate', 'max_completion_tokens'],
  'reasoning_effort',
  'verbosity',
  ...everywhere,
);
const plain = telling(
  ['number_of_tokens_to_generate', 'max_tokens'],
  'temperature',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'logit_bias',
  'stop',
  ...everywhere,
);

/** Weight of the output of these models by how hard they think (inference spec 4.3). */
const effortPercent: Readonly<Record<string, number>> = { low: 70, medium: 100, high: 130 };

export const openAi = chatProvider({
  name: 'openai',
  title: 'OpenAI',
  setUp: keyAndUrl('OPENAI', 'OpenAI', 'https://api.openai.com/v1'),
  types: ['text_completion', 'embedding', 'ask_question_about_an_image'],
  parameters: (model) => (thinks(model) ? thinking : plain),
  embeddingParameters: telling('encoding_format', 'dimensions'),
  counter: openAiTokens,
  imageTokens: openAiImageTokens,
  streams: 'usage on request',
  listsAll: true,
  // Nothing comes while a model thinks.
  idleMs: 600_000,
  completionsAtOnce: (model) => !thinks(model),
  idempotent: true,
  workload: (work, { model, parameters }) =>
    model.entry.model_name.startsWith('openai-o1')
      ? { ...work, outputPercent: effortPercent[String(parameters['reasoning_effort'] ?? 'medium')] ?? 100 }
      : work,
});
