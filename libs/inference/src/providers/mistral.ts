import { chatProvider } from './kit/chat.js';
import { telling } from './kit/chat-parameters.js';
import { pixtralImageTokens } from './kit/image-tokens.js';
import { mistralTokens } from './kit/tokens.js';
import { keyAndUrl } from './kit/vendor.js';

export const mistral = chatProvider({
  name: 'mistral',
  title: 'Mistral AI',
  setUp: keyAndUrl('MISTRAL', 'Mistral AI', 'https://api.mistral.ai/v1'),
  types: ['text_completion', 'embedding', 'ask_question_about_an_image'],
  // It refuses every name that it does not know, `stream_options` among them.
  parameters: telling(
    ['number_of_tokens_to_generate', 'max_tokens'],
    ['seed', 'random_seed'],
    'temperature',
    'top_p',
    'stop',
    'presence_penalty',
    'frequency_penalty',
    'safe_prompt',
    'response_format',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'reasoning_effort',
  ),
  embeddingParameters: telling('encoding_format', ['dimensions', 'output_dimension']),
  counter: mistralTokens,
  imageTokens: pixtralImageTokens,
  streams: 'usage always',
});
