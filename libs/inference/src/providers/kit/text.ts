import type { Ask, InferenceType, ModelParameter, Workload } from '../provider.js';

export { menuEntry } from './menu-entry.js';

const TOKENS_DEFAULT = 1000;
const COMPLETIONS_MAX = 10;

/** Counts the tokens of a text. A vendor with a published tokenizer brings its own. */
export type TokenCounter = (text: string) => number;

/**
 * Deterministic stand-in for a tokenizer: a third of the UTF-8 bytes, rounded up. On the counted strings of the cost vectors
 * it is at or above the real tokenizers; it may differ between supernodes without harm, since the responder's quote is what counts
 * (inference spec 4.4).
 */
export const estimateTokens: TokenCounter = (text) => Math.ceil(Buffer.byteLength(text) / 3);

const applies = (...types: InferenceType[]) => ({ inference_types_parameter_applies_to: types });

/** What every text model takes, under the names that clients send (inference spec 1.4). */
export function textParameters(limits: { tokensMax: number }): ModelParameter[] {
  const forText = applies('text_completion');
  return [
    {
      name: 'number_of_tokens_to_generate',
      type: 'int',
      default: TOKENS_DEFAULT,
      minimum: 1,
      maximum: limits.tokensMax,
      description: 'Most tokens of one completion',
      ...forText,
    },
    {
      name: 'number_of_completions_to_generate',
      type: 'int',
      default: 1,
      minimum: 1,
      maximum: COMPLETIONS_MAX,
      description: '[Optional] How many answers; each is paid for',
      ...forText,
    },
    {
      name: 'temperature',
      type: 'float',
      default: 0.7,
      minimum: 0,
      maximum: 2,
      description: '[Optional] 0 is the most predictable',
      ...forText,
    },
    {
      name: 'seed',
      type: 'int',
      default: null,
      minimum: 0,
      maximum: 2 ** 31 - 1,
      description: '[Optional] Makes answers repeatable where the model can',
      ...forText,
    },
  ];
}

/** What can be asked of a text at most. The system message is read by the model, so it is counted. */
export const textWorkload =
  (count: TokenCounter) =>
  ({ input, parameters }: Ask): Workload => ({
    inputTokens: count(input.text) + count(String(parameters['system_message'] ?? '')),
    outputTokensMax: Number(parameters['number_of_tokens_to_generate'] ?? TOKENS_DEFAULT),
    completions: Number(parameters['number_of_completions_to_generate'] ?? 1),
  });

export const embeddingWorkload =
  (count: TokenCounter) =>
  ({ input }: Ask): Workload => ({ inputTokens: count(input.text), outputTokensMax: 0, completions: 1 });

/** Several completions travel as one text of a JSON object (inference spec 3.7). */
export function completionsOutput(completions: readonly string[]): { output: string; outputText: string } {
  if (completions.length === 1) return { output: completions[0]!, outputText: labelOf(completions[0]!) };
  const numbered = completions.map((text, i) => [`completion_${String(i + 1).padStart(2, '0')}`, text] as const);
  return { output: JSON.stringify(Object.fromEntries(numbered)), outputText: 'json' };
}

/** The content label of a text: `json` for an object or array, else `txt`. */
function labelOf(text: string): 'json' | 'txt' {
  if (!/^\s*[{[]/.test(text)) return 'txt';
  try {
    JSON.parse(text);
    return 'json';
  } catch {
    return 'txt';
  }
}
