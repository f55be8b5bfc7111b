import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Model } from '../provider.js';
import type { TokenCounter } from './text.js';

/** Texts up to here are counted as a whole; of longer ones a sample is, so that no text holds up the event loop. */
export const WHOLE_BYTES_MAX = 24 * 1024;
/** Characters looked at in one go: pieces without a break take the tokenizer quadratic time. */
const SLICE_LENGTH = 1024;
/** One slice is counted of each of so many equal parts of a long text. */
const SAMPLES = 24;
/** What is added to a sampled count, so that it is not below the whole one but by rare chance. */
const SAMPLED_PERCENT = 105;

interface Encoding {
  readonly countTokens: (text: string, options: { disallowedSpecial: Set<string> }) => number;
}
/** Names of special tokens in a text are text like any other. */
const NOTHING_SPECIAL = { disallowedSpecial: new Set<string>() };

/** The vocabulary is several megabytes, so it is loaded when a text is first counted with it. */
function encoding(name: 'cl100k_base' | 'o200k_base'): TokenCounter {
  let loaded: Encoding | undefined;
  return (text) => {
    loaded ??= createRequire(import.meta.url)(`gpt-tokenizer/encoding/${name}`) as Encoding;
    const { countTokens } = loaded;
    return bounded(text, (slice) => countTokens(slice, NOTHING_SPECIAL));
  };
}

/** Of GPT-4 and 3.5, and of OpenAI's embeddings; the reference counts all of OpenAI's models with it (inference spec 4.4). */
export const cl100k: TokenCounter = encoding('cl100k_base');
/** Of GPT-4o, o1 and all that came after. */
export const o200k: TokenCounter = encoding('o200k_base');

/** So many percent of another counter, rounded up. */
const percentOf =
  (percent: number, count: TokenCounter): TokenCounter =>
  (text) =>
    Math.ceil((count(text) * percent) / 100);

/** Models that the original offers as well are counted as it counts them, so that they cost the same. */
const COUNTED_AS_BEFORE = /^(gpt-4o(-mini)?|o1(-mini)?|text-embedding-.*|gpt-4|gpt-4-.*|gpt-3\.5.*)$/;
export const openAiTokens = (text: string, { upstream }: Pick<Model, 'upstream'>): number =>
  COUNTED_AS_BEFORE.test(upstream) ? cl100k(text) : o200k(text);

/*
 * Vendors without a published tokenizer in JavaScript: a fixed share of cl100k_base, taken from the vendors' own figures and rounded
 * in the node's favour; never below cl100k_base, which prices all texts alike on every supernode that runs this.
 */
/** Llama 3's vocabulary is the one of cl100k_base and 28,000 tokens more. */
export const llamaTokens = cl100k;
/** The vocabularies of 32,000 pieces split more; Tekken less. */
export const mistralTokens = percentOf(120, cl100k);
/** A byte-level vocabulary of 128,000. */
export const deepSeekTokens = percentOf(110, cl100k);
/** Not published; 15 to 35 percent more than OpenAI's on English and code. */
export const claudeTokens = percentOf(135, cl100k);

/** The same text always gives the same number. A text far too long to count is sampled where its own hash says. */
function bounded(text: string, count: TokenCounter): number {
  if (text.length <= WHOLE_BYTES_MAX && Buffer.byteLength(text) <= WHOLE_BYTES_MAX) return countSlices(text, count);
  const places = createHash('sha512').update(text).digest();
  const part = text.length / SAMPLES;
  const [chars, tokens] = Array.from({ length: SAMPLES }).reduce<[number, number]>(
    ([charsSoFar, tokensSoFar], _, i) => {
      const from = Math.floor(part * i + ((part - SLICE_LENGTH) * places.readUInt16BE(i * 2)) / 2 ** 16);
      const slice = text.slice(Math.max(0, from), Math.max(0, from) + SLICE_LENGTH);
      return [charsSoFar + slice.length, tokensSoFar + count(slice)];
    },
    [0, 0],
  );
  return Math.ceil(((text.length * tokens) / chars) * (SAMPLED_PERCENT / 100));
}

/** Where a text has blanks the sum is exact; a cut within a piece makes at most a few tokens more. */
function countSlices(text: string, count: TokenCounter): number {
  let total = 0;
  for (let from = 0; from < text.length;) {
    const to = breakBefore(text, from, from + SLICE_LENGTH);
    total += count(text.slice(from, to));
    from = to;
  }
  return total;
}

/** The last place where the tokenizer divides the text anyway: before a single blank. Else the limit, between two characters. */
function breakBefore(text: string, from: number, limit: number): number {
  if (limit >= text.length) return text.length;
  for (let i = limit; i > from; i--) {
    if (text[i] === ' ' && !/\s/.test(text[i - 1]!) && !/\s/.test(text[i + 1] ?? ' ')) return i;
  }
  return /[\uDC00-\uDFFF]/.test(text[limit]!) ? limit - 1 : limit;
}
