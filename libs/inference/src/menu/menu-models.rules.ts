import { menuEntry } from '../providers/kit/menu-entry.js';
import type { Model, ModelMenuEntry, ModelParameter } from '../providers/index.js';
import type { MenuFile, MenuParameter, MenuRow } from './menu-file.js';

/** The sets of a row put together, with its own changes; what belongs to other types is left out. */
export function parametersOf(row: MenuRow, { parameter_sets }: MenuFile): MenuParameter[] {
  return row.parameters
    .flatMap((set) => parameter_sets[set] ?? [])
    .map((parameter) => ({ ...parameter, types: parameter.types.filter((type) => row.types.includes(type)) }))
    .filter(({ types }) => types.length > 0)
    .map((parameter) => bounded(parameter, row));
}

/** Nobody may ask for a longer answer than the model gives. */
function bounded(parameter: MenuParameter, { overrides, limits }: MenuRow): MenuParameter {
  const changed = { ...parameter, ...(overrides?.[parameter.name] ?? {}) };
  const output = limits?.output;
  if (parameter.name !== 'number_of_tokens_to_generate' || output === undefined) return changed;
  return { ...changed, maximum: Math.min(changed.maximum ?? output, output) };
}

/** A model of the menu, as it is on a day; undefined where the vendor serves it no more and nothing stands for it. */
export function modelOf(row: MenuRow, menu: MenuFile, today: string): Model | undefined {
  const isRetired = row.retires !== undefined && row.retires.on <= today;
  const upstream = isRetired ? row.retires?.successor : row.upstream;
  if (upstream === undefined) return undefined;
  return {
    entry: menuEntry({
      model_name: row.model_name,
      description: row.description,
      supported_inference_type_strings: row.types,
      model_parameters: parametersOf(row, menu).map(({ types, ...parameter }) => ({
        ...parameter,
        inference_types_parameter_applies_to: types,
      })),
      ...(row.model_url !== undefined && { model_url: row.model_url }),
      ...(row.credit_costs && { credit_costs: row.credit_costs }),
    }),
    upstream,
    pricing: row.pricing,
    ...(row.limits?.input !== undefined && { inputTokensMax: row.limits.input }),
  };
}

/** What a provider offers by the menu. `today` is a day such as 2026-01-31. */
export const modelsOf = (menu: MenuFile, provider: string, today: string): Model[] =>
  menu.models
    .filter((row) => row.provider === provider)
    .map((row) => modelOf(row, menu, today))
    .filter((model) => model !== undefined);

export type PublishedEntry = Omit<ModelMenuEntry, 'model_parameters'> & {
  readonly model_parameters: readonly (Omit<ModelParameter, 'inference_types_parameter_applies_to'> & {
    readonly inference_types_parameter_applies_to: readonly string[] | string;
  })[];
};

/** As clients get it: lists of types, or for the oldest web page the text of a Python list (inference spec 1.2). */
export const publishedEntry = (entry: ModelMenuEntry, typesAsText: boolean): PublishedEntry =>
  typesAsText
    ? {
        ...entry,
        model_parameters: entry.model_parameters.map((parameter) => ({
          ...parameter,
          inference_types_parameter_applies_to: `[${parameter.inference_types_parameter_applies_to.map((type) => `'${type}'`).join(', ')}]`,
        })),
      }
    : entry;
