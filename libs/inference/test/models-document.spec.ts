import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { TENTHS_PER_CREDIT } from '#protocol';
import { bundledMenuText } from '../src/menu/bundled-menu.js';
import type { MenuRow } from '../src/menu/menu-file.js';
import { parseMenu } from '../src/menu/menu-file.rules.js';
import { modelOf, parametersOf } from '../src/menu/menu-models.rules.js';
import { providers, type InferenceType, type Workload } from '../src/providers/index.js';
import { costOf } from '../src/quote/cost.rules.js';

const FILE = 'docs/models.md';
const menu = parseMenu(bundledMenuText(), providers);

/** What the original's shipped `.env` says. */
const credit = { usdPerCredit: 0.01, margin: 0.15, minimumTenths: 5, rawMultiplier: 0.002 };
const SIZE = { tokens: 1000, sentences: 50, seconds: 60 } as const;

const HEADER = `# Models and prices

Written from \`libs/inference/src/menu/model_menu.json\` (version ${menu.version}, ${menu.published}) by \`npm run docs:models\`.

A node offers what it has a key for, what is well, and what the vendor lists at the moment. Prices are USD: for a million tokens in and out (and for
input that is written to a cache, where the vendor asks more for it; such models are charged that for all input), for a call, or in the raw numbers of
local models. *Credits* is what a request of the first type costs with default parameters at the shipped settings (0.01 USD a credit, margin 0.15):
${SIZE.tokens} tokens in and the default length out, a picture, a document of ${SIZE.sentences} sentences, or a minute of sound. *Price of* is when the
source told it.
`;

const DEVIATIONS = `## What differs from the original's menu

All 36 names of the original work and keep their prices, since the cost vectors hold them to it. These are the differences:

- **Prices are found by the exact name.** The original took the nearest name in a table: Groq's Llama 3.1 and Gemma 2 were sold at the price of
  another model. They have prices of their own here.
- **No \`embedding\` by Claude and Groq models:** the vendors have no such service, so it always failed. Mistral's text models do not offer it either;
  \`mistralapi-mistral-embed\` does the same work.
- **Retired models run as a successor** of the same vendor, which stands in the column *runs as*. A model with a known last day changes over, or leaves
  the menu, on that day.
- **Parameters are \`int\`, \`float\` or \`string\`,** which is all that clients understand; objects, lists and switches travel as JSON text. What the
  original published and never used is still taken, and does nothing. Client-claimed cache hits are no parameter.
- **Default lengths are those that were paid for:** 300 tokens for OpenAI's image questions, 1000 for Pixtral, 4096 for DeepSeek.
- **Limits are real ones:** an answer cannot be longer than the model gives; input that the vendor charges more for is refused.
- **Types of a parameter are lists;** \`MODEL_MENU_TYPES_AS_TEXT=1\` brings back the text of a Python list.
- **Local models also do \`semantic_search\` and \`advanced_semantic_search\`,** which the original ran but never offered; they cost what an embedding of
  the question costs.

Some of the kept prices are below what the vendor asks today. An operator who does not want that serves a menu of their own (docs/operations.md):

| model | brings | costs the node |
| --- | --- | --- |
`;

test('docs/models.md says what the menu says', () => {
  const named = [...new Set(menu.models.map(({ provider }) => provider))];
  const text = [HEADER, ...named.map(section), DEVIATIONS + menu.models.flatMap(shortfall).join('')].join('\n');
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(FILE, text);
  expect(readFileSync(FILE, 'utf8')).toBe(text);
});

function section(name: string): string {
  const rows = menu.models.filter(({ provider }) => provider === name);
  const title = providers.find((provider) => provider.name === name)!.title;
  const table = rows.map((row) => `| ${cellsOf(row).join(' | ')} |`).join('\n');
  const notes = rows.flatMap((row) => (row.note === undefined ? [] : [`- \`${row.model_name}\`: ${row.note}`]));
  const head = '| model | runs as | types | USD | credits | price of |\n| --- | --- | --- | --- | ---: | --- |';
  return `## ${title}\n\n${head}\n${table}\n${notes.length > 0 ? `\n${notes.join('\n')}\n` : ''}`;
}

function cellsOf(row: MenuRow): string[] {
  const last = row.retires ? ` until ${row.retires.on}${row.retires.successor ? `, then \`${row.retires.successor}\`` : ''}` : '';
  return [
    `\`${row.model_name}\``,
    `\`${row.upstream}\`${last}`,
    row.types.join(', '),
    priceOf(row),
    creditsOf(row),
    `[${row.price_source.date}](${row.price_source.url})`,
  ];
}

function priceOf({ pricing: price }: MenuRow): string {
  if (price.per === 'raw') return 'raw numbers';
  if (price.per === 'call') return `${price.usd} a call`;
  const write = price.cacheWrite === undefined ? '' : ` (written ${price.cacheWrite})`;
  const completion = price.completion === undefined ? '' : ` + ${price.completion} an answer`;
  return `${price.input}${write} / ${price.output}${completion}`;
}

function creditsOf(row: MenuRow): string {
  const model = modelOf(row, menu, menu.published)!;
  const cost = costOf(model, row.types[0]!, workOf(row, row.types[0]!), credit)!;
  return (cost.tenths / TENTHS_PER_CREDIT).toFixed(1);
}

function workOf(row: MenuRow, type: InferenceType): Workload {
  const length = parametersOf(row, menu).find((p) => p.name === 'number_of_tokens_to_generate' && p.types.includes(type));
  return {
    inputTokens: SIZE.tokens,
    outputTokensMax: Number(length?.default ?? 0),
    completions: 1,
    sentences: SIZE.sentences,
    seconds: SIZE.seconds,
  };
}

/** Stability asks more for these since 2025-08-01 (https://stability.ai/api-pricing-update-25). */
const CALLS_TODAY: Readonly<Record<string, string>> = {
  'stability-conservative-upscale': '0.40',
  'stability-creative-upscale': '0.60',
};

function shortfall(row: MenuRow): string[] {
  const price = row.pricing;
  const today = CALLS_TODAY[row.model_name];
  if (today !== undefined) return [`| \`${row.model_name}\` | ${priceOf(row)} | ${today} a call |\n`];
  const own = menu.models.find((other) => !other.original && other.provider === row.provider && other.upstream === row.upstream);
  const cost = row.original ? own?.pricing : undefined;
  if (price.per !== 'million tokens' || cost?.per !== 'million tokens') return [];
  const isBelow =
    Number(price.cacheWrite ?? price.input) < Number(cost.cacheWrite ?? cost.input) || Number(price.output) < Number(cost.output);
  return isBelow ? [`| \`${row.model_name}\` | ${priceOf(row)} | ${priceOf(own!)} |\n`] : [];
}
