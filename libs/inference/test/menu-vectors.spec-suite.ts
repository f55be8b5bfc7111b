import { encodeBase64, PythonNumber, writeJson, type Json, type JsonObject } from '#protocol';
import {
  hasMembers,
  numberOf,
  objectOf,
  objectsIn,
  textOf,
  textsIn,
  type VectorShape,
} from '../../../test/support/vectors/file.js';
import { bundledMenuText } from '../src/menu/bundled-menu.js';
import { parseMenu } from '../src/menu/menu-file.rules.js';
import { modelOf } from '../src/menu/menu-models.rules.js';
import { providers, type InferenceType } from '../src/providers/index.js';
import { dividedBy, exact } from '../src/quote/exact.rules.js';
import { parametersOf } from '../src/quote/parameters.rules.js';

/** Where ours differs from the original's menu, and why (docs/costs.md). */
const OTHER_PRICES: Readonly<Record<string, string>> = {
  'groq-llama-3.1-70b-versatile': 'its own price; the reference takes that of groq-gemma-7b-it',
  'groq-llama-3.1-8b-instant': 'its own price; the reference takes that of groq-gemma-7b-it',
  'groq-gemma2-9b-it': 'its own price; the reference takes that of groq-gemma-7b-it',
};
/** Types of work in the original's menu that it cannot do. */
const NEVER_DONE = /^(groq-|claude|mistralapi-mistral-(large|medium|small)-)/;

const menu = parseMenu(bundledMenuText(), providers);
const ANY_DAY = '0000-01-01';
function ourModel(name: string) {
  const row = menu.models.find(({ model_name }) => model_name === name);
  const model = row && modelOf(row, menu, ANY_DAY);
  if (!model) throw new Error(`${name} is not in the menu`);
  return model;
}

/** What a client sends who fills in nothing: as text, as the web page does, or as JSON. */
const forms: readonly ((value: Json) => Json)[] = [
  (value) => (typeof value === 'string' ? value : value === null ? '' : writeJson(value)),
  (value) => value,
];
const appliesTo = (told: Json | undefined, type: string): boolean =>
  typeof told === 'string' ? told.includes(`'${type}'`) : textsIn(told).includes(type);

export const menuFacts: VectorShape = {
  name: "the original's menu",
  matches: (content) =>
    hasMembers(content, 'models') && hasMembers(objectsIn(objectOf(content)['models'])[0] ?? null, '_reference_pricing_row'),
  async run(content, report, file, companions) {
    const prices = companions('api_pricing.json');
    for (const told of objectsIn(objectOf(content)['models'])) {
      const name = textOf(told['model_name']);
      for (const type of textsIn(told['supported_inference_type_strings'])) {
        if (type === 'embedding' && NEVER_DONE.test(name)) {
          report.skip(`${file} ${name} ${type}: no such service; the reference fails`);
          continue;
        }
        await report.run(`${file} ${name} ${type}`, (compare) => {
          const { entry } = ourModel(name);
          compare('offered', entry.supported_inference_type_strings.includes(type as InferenceType), true);
          const sent = objectsIn(told['model_parameters']).filter((p) =>
            appliesTo(p['inference_types_parameter_applies_to'], type),
          );
          for (const form of forms) {
            const parameters = Object.fromEntries(sent.map((p) => [textOf(p['name']), form(p['default'] ?? null)]));
            parametersOf(encodeBase64(writeJson(parameters)), entry, type as InferenceType);
          }
        });
      }
      const row = told['_reference_pricing_row'];
      if (prices === undefined || typeof row !== 'string') continue;
      const why = OTHER_PRICES[name];
      if (why !== undefined) report.skip(`${file} price of ${name}: ${why}`);
      else await report.run(`${file} price of ${name}`, (compare) => compare('price', priceOf(name), priceIn(prices, row)));
    }
  },
};

/** As numbers of USD for a thousand tokens, or for a call. */
function priceOf(name: string): Record<string, number> {
  const { pricing } = ourModel(name);
  if (pricing.per === 'call') return { call: Number(pricing.usd) };
  if (pricing.per === 'raw') return {};
  const thousand = (usd: string) => {
    const { over, under } = dividedBy(exact(usd), exact(1000));
    return Number(over) / Number(under);
  };
  const { input, output, cacheWrite, completion = '0' } = pricing;
  return { input: thousand(input), output: thousand(output), write: thousand(cacheWrite ?? input), call: Number(completion) };
}
function priceIn(prices: Json, row: string): Record<string, number> {
  const told: JsonObject = objectOf(objectOf(objectOf(prices)['rows'])[row]);
  const {
    credits_per_call: credits,
    input_cost: input,
    output_cost: output,
    input_cost_write: write,
    per_call_cost: call,
  } = told;
  // A credit of Stability is a cent.
  if (credits instanceof PythonNumber) return { call: credits.value / 100 };
  return { input: numberOf(input), output: numberOf(output), write: numberOf(write ?? input), call: numberOf(call) };
}

/** Read with the menu. */
export const apiPrices: VectorShape = {
  name: "the original's prices",
  matches: (content) => hasMembers(content, 'rows', 'tokenizer_rows'),
  run: () => Promise.resolve(),
};
