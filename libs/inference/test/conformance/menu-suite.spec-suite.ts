import assert from 'node:assert/strict';
import { bundledMenuText } from '../../src/menu/bundled-menu.js';
import { modelsOf } from '../../src/menu/menu-models.rules.js';
import type { MenuFile } from '../../src/menu/menu-file.js';
import type { InferenceType, Model, ModelParameter } from '../../src/providers/index.js';
import type { Case } from './fixtures.spec-suite.js';
import { refusalOf, type Stand } from './stand.spec-suite.js';

const menu = JSON.parse(bundledMenuText()) as MenuFile;
/** These change what is paid or asked for, not the words of one question. */
const COUNTED_ONLY = new Set(['number_of_completions_to_generate']);
/** Published so that older programs are not turned away; their descriptions say so. */
const isWithoutEffect = ({ description }: ModelParameter): boolean => /older programs|all the same/.test(description);

/** A value that nobody has by default. */
function someValue({
  name,
  type,
  options,
  minimum = 0,
  maximum = 1,
  default: usual,
}: ModelParameter): number | string | undefined {
  if (options) return options.find((option) => option !== '' && option !== usual);
  if (type !== 'string') return usual === minimum ? maximum : minimum;
  return JSON_VALUES[name] ?? 'true';
}
const TOOL = { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } };
const JSON_VALUES: Readonly<Record<string, string>> = {
  tools: JSON.stringify([TOOL]),
  tool_choice: 'auto',
  response_format: '{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"}}}',
  logit_bias: '{"50256":-100}',
};

/** Every parameter that the menu publishes reaches the vendor, unless it says that it does not; every model has abilities and a price. */
export const menuSuite = {
  name: 'menu',
  local: true,
  async run(stand: Stand): Promise<number> {
    const { provider } = stand;
    const models = modelsOf(menu, provider.name, '2026-01-01');
    let looks = 0;
    const seen = new Set<string>();
    for (const model of models) {
      // Models with the same parameters are of one sort: one of them stands for all.
      const sort = model.entry.model_parameters.map(({ name }) => name).join();
      for (const type of model.entry.supported_inference_type_strings) {
        assert(provider.abilities[type], `${model.entry.model_name} is said to do ${type}`);
        const leading = stand.leading.find((each) => each.type === type);
        assert(leading, `there is no case of ${type}, which the menu offers`);
        for (const parameter of model.entry.model_parameters) {
          const key = JSON.stringify([type, sort, parameter.name, parameter.options]);
          if (!parameter.inference_types_parameter_applies_to.includes(type) || seen.has(key)) continue;
          seen.add(key);
          await reaches(stand, leading, { model, type, parameter });
          looks++;
        }
      }
    }
    return looks;
  },
};

interface Looked {
  readonly model: Model;
  readonly type: InferenceType;
  readonly parameter: ModelParameter;
}
async function reaches(stand: Stand, leading: Case, { model, type, parameter }: Looked): Promise<void> {
  const { provider, fixtures } = stand;
  const { samples } = fixtures.manifest;
  const value = samples && parameter.name in samples ? samples[parameter.name] : someValue(parameter);
  if (value === undefined || value === null || stand.isLocal || COUNTED_ONLY.has(parameter.name)) return;
  // What the case itself sends stays, as far as this model knows it.
  const known = new Set(model.entry.model_parameters.filter((p) => p !== parameter).map(({ name }) => name));
  const own = Object.fromEntries(Object.entries(leading.parameters ?? {}).filter(([name]) => known.has(name)));
  const ask = { ...leading, parameters: { ...own, [parameter.name]: value }, model: { model } };
  const refusal = await refusalOf(() => stand.count(ask)).catch(() => undefined);
  assert.equal(refusal, undefined, `${parameter.name} is refused`);
  const plain = JSON.stringify([provider.name, model.upstream, type, own]);
  questions.set(plain, questions.get(plain) ?? (await question(stand, { ...ask, parameters: own })));
  const isTold = (await question(stand, ask)) !== questions.get(plain);
  const what = `${parameter.name} of ${model.entry.model_name} for ${type}`;
  if (isWithoutEffect(parameter)) assert(!isTold, `${what} reaches the vendor though it says that it does not`);
  else assert(isTold, `${what} never reaches the vendor`);
}
/** Those without the parameter, which many have in common. */
const questions = new Map<string, string>();
/** What the vendor is asked, without the boundaries of forms. */
async function question(stand: Stand, ask: Case): Promise<string> {
  stand.play(ask);
  await stand.run(ask, { advanceMs: 60_000 }).catch(() => undefined);
  return stand.server.seen.map(({ address, body }) => address + body.toString('latin1').replaceAll(/-{4,}\S+/g, '')).join('\n');
}
