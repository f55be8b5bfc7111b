import { chatProvider } from './kit/chat.js';
import { telling } from './kit/chat-parameters.js';
import { claudeTokens } from './kit/tokens.js';
import { keyAndUrl } from './kit/vendor.js';

const AUTO = 'openrouter/auto';
const AUTO_USD_PER_MILLION_TOKENS = { prompt: 0.5, completion: 1.5 };

export const openRouter = chatProvider({
  name: 'openrouter',
  title: 'OpenRouter',
  setUp: keyAndUrl('OPENROUTER', 'OpenRouter', 'https://openrouter.ai/api/v1'),
  types: ['text_completion', 'ask_question_about_an_image'],
  parameters: telling(
    ['number_of_tokens_to_generate', 'max_tokens'],
    'temperature',
    'top_p',
    'top_k',
    'stop',
    'seed',
    'presence_penalty',
    'frequency_penalty',
    'response_format',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'reasoning_effort',
  ),
  // Behind it are all vocabularies: the one that splits most.
  counter: claudeTokens,
  imageTokens: () => 3072,
  streams: 'usage always',
  listsAll: true,
  // It keeps the connection alive with comments while a model behind it gets ready.
  idleMs: 300_000,
  // 403: the words were found improper, by a model that wants them looked at.
  statuses: { 403: 'refused' },
  // Everybody may read the list of models; this names the key.
  checkPath: '/key',
  /** It picks among models of all prices; the menu sells it at one. */
  body: (body, { model }) => (model === AUTO ? { ...body, provider: { max_price: AUTO_USD_PER_MILLION_TOKENS } } : body),
});
