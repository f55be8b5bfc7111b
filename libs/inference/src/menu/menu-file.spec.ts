import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bundledMenuText } from './bundled-menu.js';
import { parseMenu, MenuError, MENU_BYTES_MAX } from './menu-file.rules.js';
import { modelOf, modelsOf, publishedEntry } from './menu-models.rules.js';
import { inferenceTypes, providers, type InferenceType } from '../providers/index.js';

type Json = Record<string, unknown>;
const abilities = (...types: InferenceType[]) =>
  Object.fromEntries(types.map((type) => [type, { count: () => ({}), run: () => ({}) }])) as never;
const vendor = { name: 'vendor', abilities: abilities('text_completion', 'embedding', 'text_to_image') };

const LENGTH = {
  name: 'number_of_tokens_to_generate',
  type: 'int',
  default: 1000,
  description: 'Most tokens',
  types: ['text_completion'],
  minimum: 1,
};
const TEMPERATURE = {
  name: 'temperature',
  type: 'float',
  default: 0.7,
  description: 'Heat',
  types: ['text_completion'],
  maximum: 1,
};
const ROW = {
  model_name: 'vendor-one',
  provider: 'vendor',
  upstream: 'one-2026',
  description: 'A model',
  types: ['text_completion'],
  parameters: ['text'],
  pricing: { per: 'million tokens', input: '2.5', output: '10' },
  limits: { input: 1000, output: 8192 },
  price_source: { url: 'https://vendor.example/prices', date: '2026-11' },
};
const menuWith = (row: Json, parameters: Json[] = [LENGTH, TEMPERATURE], more: Json = {}): Json => ({
  version: 1,
  published: '2026-11-26',
  parameter_sets: { text: parameters },
  models: [row],
  ...more,
});
const read = (menu: Json) => parseMenu(JSON.stringify(menu), [vendor]);
function problemsOf(menu: Json): readonly string[] {
  try {
    read(menu);
  } catch (error) {
    if (error instanceof MenuError) return error.problems;
    throw error;
  }
  return [];
}

test('a row becomes a model with all eight keys, bounded by what the vendor gives', () => {
  const menu = read(menuWith({ ...ROW, overrides: { temperature: { default: 1 } } }));
  const model = modelOf(menu.models[0]!, menu, '2026-11-26')!;
  expect(model).toMatchObject({ upstream: 'one-2026', pricing: ROW.pricing, inputTokensMax: 1000 });
  expect(Object.keys(model.entry).sort()).toEqual([
    'credit_costs',
    'description',
    'input_fields',
    'model_name',
    'model_parameters',
    'model_url',
    'output_fields',
    'supported_inference_type_strings',
  ]);
  expect(model.entry.model_parameters).toEqual([
    {
      name: 'number_of_tokens_to_generate',
      type: 'int',
      default: 1000,
      description: 'Most tokens',
      minimum: 1,
      maximum: 8192,
      inference_types_parameter_applies_to: ['text_completion'],
    },
    {
      name: 'temperature',
      type: 'float',
      default: 1,
      description: 'Heat',
      maximum: 1,
      inference_types_parameter_applies_to: ['text_completion'],
    },
  ]);
  const [asText] = publishedEntry(model.entry, true).model_parameters;
  expect(asText!.inference_types_parameter_applies_to).toBe("['text_completion']");
});

test('a model that its vendor ends runs as its successor from that day on, or not at all', () => {
  const on = (retires: Json, today: string) => {
    const menu = read(menuWith({ ...ROW, retires }));
    return modelsOf(menu, 'vendor', today).map(({ upstream }) => upstream);
  };
  expect(on({ on: '2027-01-14', successor: 'two' }, '2027-01-13')).toEqual(['one-2026']);
  expect(on({ on: '2027-01-14', successor: 'two' }, '2027-01-14')).toEqual(['two']);
  expect(on({ on: '2027-01-14' }, '2027-02-01')).toEqual([]);
});

describe('a faulty menu is refused by row and field', () => {
  const without = (key: keyof typeof ROW): Json => Object.fromEntries(Object.entries(ROW).filter(([name]) => name !== key));
  const priced = (pricing: Json): Json => menuWith({ ...ROW, pricing });
  const image = { ...ROW, types: ['text_to_image'] };
  test.each<[string, Json, RegExp]>([
    ['an unknown key', menuWith({ ...ROW, prize: 1 }), /^vendor-one: prize is unknown$/],
    ['an unknown key at the top', menuWith(ROW, undefined, { extra: 1 }), /^extra is unknown$/],
    ['a missing key', menuWith(without('pricing')), /^vendor-one: pricing is missing$/],
    ['a missing source', menuWith(without('price_source')), /^vendor-one: price_source is missing$/],
    ['an unknown provider', menuWith({ ...ROW, provider: 'nobody' }), /^vendor-one: provider 'nobody' is unknown$/],
    ['an unknown type', menuWith({ ...ROW, types: ['poetry'] }), /^vendor-one: types\/0 is none of/],
    ['a type twice', menuWith({ ...ROW, types: ['text_completion', 'text_completion'] }), /^vendor-one: types name one twice/],
    [
      'a type that the provider lacks',
      menuWith({ ...ROW, types: ['analyze_document'] }),
      /types holds analyze_document, which vendor/,
    ],
    ['a name twice', menuWith(ROW, undefined, { models: [ROW, ROW] }), /^vendor-one: model_name is there twice$/],
    ['an unknown set', menuWith({ ...ROW, parameters: ['nothing'] }), /^vendor-one: parameters name unknown sets: nothing$/],
    [
      'text without a length',
      menuWith(ROW, [TEMPERATURE]),
      /parameters hold no number_of_tokens_to_generate for text_completion/,
    ],
    ['a length without end', menuWith(without('limits')), /^vendor-one: parameter number_of_tokens_to_generate has no maximum/],
    ['a negative price', priced({ ...ROW.pricing, input: '-1' }), /^vendor-one: pricing\/input is no decimal number/],
    ['a price with an exponent', priced({ ...ROW.pricing, output: '1e9' }), /^vendor-one: pricing\/output is no decimal number/],
    ['a price as a number', priced({ ...ROW.pricing, input: 2.5 }), /^vendor-one: pricing\/input is not a text$/],
    [
      'a price of nothing',
      priced({ per: 'million tokens', input: '0', output: '0.0' }),
      /^vendor-one: pricing is nothing at all$/,
    ],
    ['a price of another sort', priced({ per: 'minute', usd: '1' }), /^vendor-one: pricing\/per is none of/],
    ['a mixed price', priced({ per: 'call', usd: '1', input: '2' }), /^vendor-one: pricing\/input is unknown$/],
    ['raw costs without numbers', priced({ per: 'raw' }), /^vendor-one: credit_costs have no price for text_completion$/],
    [
      'raw costs beside a price',
      menuWith({ ...image, credit_costs: {} }),
      /^vendor-one: credit_costs belong to raw prices alone$/,
    ],
    [
      'an unknown raw cost',
      menuWith({ ...ROW, pricing: { per: 'raw' }, credit_costs: { text_completion: { luck: 1 } } }),
      /^vendor-one: credit_costs\/text_completion\/luck is unknown$/,
    ],
    ['a default above the maximum', menuWith(ROW, [LENGTH, { ...TEMPERATURE, default: 2 }]), /temperature has a default outside/],
    ['a default above the limit', menuWith({ ...ROW, limits: { output: 10 } }), /to_generate has a default outside its limits$/],
    ['a broken whole default', menuWith(ROW, [{ ...LENGTH, default: 1.5 }]), /is whole, but its default is not$/],
    ['a text as default of a number', menuWith(ROW, [LENGTH, { ...TEMPERATURE, default: 'hot' }]), /with a text as default$/],
    [
      'a default that is no option',
      menuWith(ROW, [LENGTH, { ...TEMPERATURE, type: 'string', maximum: undefined, default: 'x', options: ['y'] }]),
      /temperature has a default that is none of its options$/,
    ],
    ['limits crossed', menuWith(ROW, [LENGTH, { ...TEMPERATURE, minimum: 2 }]), /temperature has a minimum above its maximum$/],
    [
      'a parameter of another sort',
      menuWith(ROW, [LENGTH, { ...TEMPERATURE, type: 'boolean' }]),
      /^parameter_sets\/text\/1\/type is/,
    ],
    ['a parameter twice', menuWith(ROW, [LENGTH, LENGTH]), /to_generate is there twice for one type$/],
    [
      'a change of nothing',
      menuWith({ ...ROW, overrides: { top_k: { maximum: 1 } } }),
      /^vendor-one: overrides\/top_k changes a/,
    ],
    [
      'a plain source',
      menuWith({ ...ROW, price_source: { url: 'http://x', date: '2026-11' } }),
      /price_source\/url is no https URL$/,
    ],
    ['a day that is none', menuWith({ ...ROW, price_source: { url: 'https://x', date: 'now' } }), /price_source\/date is no day/],
    ['a version that is none', menuWith(ROW, undefined, { version: 0 }), /^version is not between 1 and/],
    ['no models', menuWith(ROW, undefined, { models: [] }), /^models has 0 members/],
  ])('%s', (_, menu, expected) => {
    expect(problemsOf(menu)).toContainEqual(expect.stringMatching(expected));
  });

  test('text that is no JSON, and text that is too long', () => {
    expect(() => parseMenu('{"version": 1', [vendor])).toThrow('it is not JSON');
    expect(() => parseMenu(' '.repeat(MENU_BYTES_MAX + 1), [vendor])).toThrow('longer than');
  });

  test('whatever else it is, it is refused with a MenuError', () => {
    const anything = fc.oneof(fc.jsonValue(), fc.record({ version: fc.jsonValue(), models: fc.array(fc.jsonValue()) }));
    fc.assert(
      fc.property(anything, (value) => {
        expect(() => parseMenu(JSON.stringify(value), [vendor])).toThrow(MenuError);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the menu that comes with the program', () => {
  const menu = parseMenu(bundledMenuText(), providers);
  const rows = menu.models;
  const todays = rows.map((row) => modelOf(row, menu, menu.published));

  test('serves every row on the day it was made, by parameters that every client takes', () => {
    for (const model of todays) {
      for (const parameter of model!.entry.model_parameters) {
        expect(['int', 'float', 'string']).toContain(parameter.type);
        expect(typeof parameter.description).toBe('string');
        expect(Array.isArray(parameter.inference_types_parameter_applies_to)).toBe(true);
      }
      expect(model!.entry.supported_inference_type_strings.every((type) => inferenceTypes.includes(type))).toBe(true);
    }
  });

  test('names no model that nothing sells, and uses every parameter set', () => {
    const used = new Set(rows.flatMap((row) => row.parameters));
    expect(Object.keys(menu.parameter_sets).filter((set) => !used.has(set))).toEqual([]);
    expect(rows.every(({ price_source }) => price_source.date <= menu.published)).toBe(true);
  });

  const own = (provider: string, upstream: string) =>
    rows.find((row) => row.provider === provider && row.upstream === upstream && !row.original);
  /** These cost the node more than they bring, since the price is the original's; docs/models.md tells. */
  const CHEAPER = new Set(['claude3.5-haiku', 'deepseek-chat', 'groq-llama3-8b-8192', 'groq-mixtral-8x7b-32768']);

  test('no name of the original is sold below what its successor costs, but for those that docs/models.md tells of', () => {
    const below = rows.filter((row) => {
      const cost = row.original ? own(row.provider, row.upstream)?.pricing : undefined;
      const price = row.pricing;
      if (price.per !== 'million tokens' || cost?.per !== 'million tokens') return false;
      const paid = price.cacheWrite ?? price.input;
      return Number(paid) < Number(cost.cacheWrite ?? cost.input) || Number(price.output) < Number(cost.output);
    });
    expect(below.map(({ model_name }) => model_name).filter((name) => !CHEAPER.has(name))).toEqual([]);
  });
});
