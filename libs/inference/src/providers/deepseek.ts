import { chatProvider, textOf } from './kit/chat.js';
import type { ChatAnswer } from './kit/chat-answer.js';
import { telling } from './kit/chat-parameters.js';
import { completionsOutput } from './kit/text.js';
import { deepSeekTokens } from './kit/tokens.js';
import { keyAndUrl } from './kit/vendor.js';

const table = telling(
  ['number_of_tokens_to_generate', 'max_tokens'],
  'temperature',
  'top_p',
  'stop',
  'presence_penalty',
  'frequency_penalty',
  'response_format',
  'tools',
  'tool_choice',
  'reasoning_effort',
);
/** The same models answer at once or think first, as they are told. */
const thinking = { thinking: { as: 'thinking', read: (value: number | string) => ({ type: value }) } };

export const deepSeek = chatProvider({
  name: 'deepseek',
  title: 'DeepSeek',
  setUp: keyAndUrl('DEEPSEEK', 'DeepSeek', 'https://api.deepseek.com'),
  types: ['text_completion'],
  parameters: { ...table, ...thinking },
  counter: deepSeekTokens,
  streams: 'usage on request',
  listsAll: true,
  // A busy service sends comments, and closes the connection when it has not begun after ten minutes.
  idleMs: 600_000,
  /** Thoughts are stored beside the answer, as text of a JSON object (inference spec 3.7). */
  output: (answers, { parameters, model }) =>
    completionsOutput(
      parameters['thinking'] === 'enabled' || model === 'deepseek-reasoner' ? answers.map(withThoughts) : answers.map(textOf),
    ),
});

const withThoughts = (answer: ChatAnswer): string =>
  JSON.stringify({ content: textOf(answer), reasoning_content: answer.reasoning });
