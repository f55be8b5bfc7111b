import { inferenceTypes, type InferenceType, type Provider, type RawCosts } from '../providers/index.js';
import type { MenuFile, MenuParameter, MenuRow } from './menu-file.js';
import { parametersOf } from './menu-models.rules.js';
import { either, list, map, number, object, oneOf, text, variant, type Check } from './shape.rules.js';

/** Longer files are not looked at. */
export const MENU_BYTES_MAX = 2 * 2 ** 20;
const PROBLEMS_SHOWN_MAX = 20;

/** What a menu must know of the providers that there are. */
export type ProviderAbilities = Pick<Provider, 'name' | 'abilities'>;

export class MenuError extends Error {
  override readonly name = 'MenuError';
  constructor(readonly problems: readonly string[]) {
    const more = problems.length > PROBLEMS_SHOWN_MAX ? [`and ${problems.length - PROBLEMS_SHOWN_MAX} more`] : [];
    super(`Bad model menu:\n${[...problems.slice(0, PROBLEMS_SHOWN_MAX), ...more].map((each) => `  ${each}`).join('\n')}`);
  }
}

const name = text({ min: 1, max: 200, form: /^[\x21-\x7e]+$/, what: 'not printable ASCII without blanks' });
const prose = text({ min: 1, max: 1000 });
const day = text({ max: 10, form: /^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, what: 'no day such as 2026-01-31' });
const dayOrMonth = text({
  max: 10,
  form: /^20\d\d-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$/,
  what: 'no day or month such as 2026-01-31',
});
const https = text({ max: 500, form: /^https:\/\/[^\s/]+(\/\S*)?$/, what: 'no https URL' });
const usd = text({ max: 30, form: /^\d{1,9}(\.\d{1,12})?$/, what: 'no decimal number from 0 such as "0.25"' });
const type = oneOf(...inferenceTypes);
const types = list(type, { min: 1, max: inferenceTypes.length });
const option = text({ max: 100 });
const tokens = number({ min: 1, max: 100_000_000, whole: true });
const nothing: Check = oneOf(null);

const limits = { minimum: number(), maximum: number(), options: list(option, { min: 1, max: 200 }) };
const anyDefault = either(text({ max: 1000 }), number(), nothing);
const parameter = object({ name, type: oneOf('int', 'float', 'string'), default: anyDefault, description: prose, types }, limits);
const pricing = variant('per', {
  'million tokens': object(
    { per: oneOf('million tokens'), input: usd, output: usd },
    { cachedInput: usd, cacheWrite: usd, completion: usd },
  ),
  call: object({ per: oneOf('call'), usd }),
  raw: object({ per: oneOf('raw') }),
});
/** What `cost.rules.ts` can multiply (inference spec 1.5). */
const rawCost = number({ min: 0, max: 1_000_000 });
const rawCosts = object(
  {},
  {
    input_tokens: rawCost,
    output_tokens: rawCost,
    compute_cost: rawCost,
    memory_cost: rawCost,
    average_tokens_per_sentence: rawCost,
    total_sentences: rawCost,
    query_string_included: rawCost,
    audio_file_length_in_seconds: rawCost,
  },
);
const word = /^[a-z][a-z0-9_]{0,99}$/;
const row = object(
  {
    model_name: name,
    provider: name,
    upstream: name,
    description: prose,
    types,
    parameters: list(name, { min: 1, max: 50 }),
    pricing,
    price_source: object({ url: https, date: dayOrMonth }),
  },
  {
    model_url: https,
    overrides: map(object({}, { default: anyDefault, ...limits }), { name: word, max: 50 }),
    credit_costs: object({}, Object.fromEntries(inferenceTypes.map((each) => [each, rawCosts]))),
    limits: object({}, { input: tokens, output: tokens }),
    original: oneOf(true),
    retires: object({ on: day }, { successor: name }),
    note: prose,
  },
);
const file = object({
  version: number({ min: 1, max: 2 ** 31, whole: true }),
  published: day,
  parameter_sets: map(list(parameter, { min: 1, max: 50 }), { name: word, max: 200 }),
  models: list(row, { min: 1, max: 1000 }),
});

/**
 * Reads a menu: the shape first, then what the rows say of each other and of the providers. Throws a {@link MenuError} that names row and
 * field of everything that is wrong.
 */
export function parseMenu(json: string, providers: readonly ProviderAbilities[]): MenuFile {
  if (Buffer.byteLength(json) > MENU_BYTES_MAX) throw new MenuError([`it is longer than ${MENU_BYTES_MAX} bytes`]);
  const menu = parsed(json);
  const problems: string[] = [];
  file(menu, '', (place, problem) => problems.push(`${named(place, menu)} ${problem}`));
  if (problems.length > 0) throw new MenuError(problems);
  const shaped = menu as MenuFile;
  problems.push(...duplicatesOf(shaped), ...shaped.models.flatMap((each) => faultsOf(each, shaped, providers)));
  if (problems.length > 0) throw new MenuError(problems);
  return shaped;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new MenuError(['it is not JSON']);
  }
}

/** `/models/3/pricing` is easier to find by the name of the model. */
function named(place: string, menu: unknown): string {
  const [, index, rest = ''] = /^\/models\/(\d+)\/?(.*)$/.exec(place) ?? [];
  const models = (menu as { models?: unknown } | null)?.models;
  const own =
    index !== undefined && Array.isArray(models) ? (models[Number(index)] as { model_name?: unknown } | null) : undefined;
  if (typeof own?.model_name !== 'string') return place.slice(1) || 'it';
  return `${own.model_name.slice(0, 200)}: ${rest}`;
}

const duplicatesOf = ({ models }: MenuFile): string[] => {
  const seen = new Set<string>();
  return models.flatMap(({ model_name }) => {
    if (seen.has(model_name)) return [`${model_name}: model_name is there twice`];
    seen.add(model_name);
    return [];
  });
};

/** Types whose length the user bounds, and so the price. */
const WRITING: readonly InferenceType[] = ['text_completion', 'ask_question_about_an_image', 'analyze_document'];
const LENGTH = 'number_of_tokens_to_generate';

function faultsOf(each: MenuRow, menu: MenuFile, providers: readonly ProviderAbilities[]): string[] {
  const fault = (field: string, problem: string): string => `${each.model_name}: ${field} ${problem}`;
  const provider = providers.find((known) => known.name === each.provider);
  if (!provider) return [fault('provider', `'${each.provider}' is unknown`)];
  const unknownSets = each.parameters.filter((set) => !Object.hasOwn(menu.parameter_sets, set));
  if (unknownSets.length > 0) return [fault('parameters', `name unknown sets: ${unknownSets.join(', ')}`)];
  const parameters = parametersOf(each, menu);
  return [
    ...(new Set(each.types).size < each.types.length ? [fault('types', 'name one twice')] : []),
    ...each.types
      .filter((asked) => !provider.abilities[asked])
      .map((asked) => fault('types', `holds ${asked}, which ${each.provider} does not do`)),
    ...each.types
      .filter((asked) => WRITING.includes(asked) && !parameters.some((p) => p.name === LENGTH && p.types.includes(asked)))
      .map((asked) => fault('parameters', `hold no ${LENGTH} for ${asked}`)),
    ...priceFaults(each).map(([field, problem]) => fault(field, problem)),
    ...Object.keys(each.overrides ?? {})
      .filter((changed) => !parameters.some((p) => p.name === changed))
      .map((changed) => fault(`overrides/${changed}`, 'changes a parameter that the model does not have')),
    ...parameters.flatMap((p) => parameterFaults(p).map((problem) => fault(`parameter ${p.name}`, problem))),
    ...doubled(parameters).map((p) => fault(`parameter ${p}`, 'is there twice for one type')),
  ];
}

function priceFaults({ pricing: price, credit_costs, types: offered }: MenuRow): [field: string, problem: string][] {
  if (price.per !== 'raw') {
    const figures = price.per === 'call' ? [price.usd] : [price.input, price.output];
    return [
      ...(credit_costs ? [['credit_costs', 'belong to raw prices alone'] as [string, string]] : []),
      ...(figures.every((figure) => Number(figure) === 0) ? [['pricing', 'is nothing at all'] as [string, string]] : []),
    ];
  }
  const isPriced = (costs: RawCosts | undefined): boolean => Object.values(costs ?? {}).some((cost) => cost > 0);
  const unpriced = offered.filter((each) => !isPriced(credit_costs?.[each]));
  return unpriced.map((each) => ['credit_costs', `have no price for ${each}`]);
}

function parameterFaults({ type: kind, default: value, minimum, maximum, options, name: own }: MenuParameter): string[] {
  const faults: string[] = [];
  const isWithin = (n: number): boolean => n >= (minimum ?? -Infinity) && n <= (maximum ?? Infinity);
  if ((minimum ?? -Infinity) > (maximum ?? Infinity)) faults.push('has a minimum above its maximum');
  if (kind === 'string') {
    if (minimum !== undefined || maximum !== undefined) faults.push('is a text with limits of a number');
    if (typeof value === 'number') faults.push('is a text with a number as default');
    if (typeof value === 'string' && options && !options.includes(value))
      faults.push('has a default that is none of its options');
    return faults;
  }
  if (options) faults.push('is a number with options');
  if (own === LENGTH && (maximum === undefined || value === null)) faults.push('has no maximum or no default');
  if (value === null) return faults;
  if (typeof value === 'string') faults.push('is a number with a text as default');
  else if (kind === 'int' && !Number.isInteger(value)) faults.push('is whole, but its default is not');
  else if (!isWithin(value)) faults.push('has a default outside its limits');
  return faults;
}

function doubled(parameters: readonly MenuParameter[]): string[] {
  const seen = new Set<string>();
  return parameters.flatMap((p) =>
    p.types.flatMap((applies) => {
      const key = `${p.name} ${applies}`;
      if (seen.has(key)) return [p.name];
      seen.add(key);
      return [];
    }),
  );
}
