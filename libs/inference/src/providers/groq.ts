import { chatProvider, textOf } from './kit/chat.js';
import { telling } from './kit/chat-parameters.js';
import { completionsOutput } from './kit/text.js';
import { llamaTokens } from './kit/tokens.js';
import { keyAndUrl } from './kit/vendor.js';

export const groq = chatProvider({
  name: 'groq',
  title: 'Groq',
  setUp: keyAndUrl('GROQ', 'Groq', 'https://api.groq.com/openai/v1'),
  types: ['text_completion', 'ask_question_about_an_image'],
  parameters: telling(
    ['number_of_tokens_to_generate', 'max_completion_tokens'],
    'temperature',
    'top_p',
    'stop',
    'seed',
    'response_format',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'reasoning_effort',
    'reasoning_format',
  ),
  counter: llamaTokens,
  // Of the vision models here; the longest that they take.
  imageTokens: () => 2048,
  streams: 'usage on request',
  listsAll: true,
  // 498: no room in the tier that was asked for.
  statuses: { 498: 'unavailable' },
  /** A list, even of one: clients count its members (inference spec 3.7 [WIRE]). */
  output: (answers) => {
    const texts = answers.map(textOf);
    return { output: texts, outputText: completionsOutput([texts.join('\n')]).outputText };
  },
});
