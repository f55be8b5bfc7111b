import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import type { MenuSettings } from '#config';
import type { Providers } from '../execution/providers.service.js';
import { ProviderFailure, providers as registry, type Model, type Provider } from '../providers/index.js';
import { bundledMenuText } from './bundled-menu.js';
import { parseMenu } from './menu-file.rules.js';
import { modelsOf } from './menu-models.rules.js';
import { ModelCatalog } from './model-catalog.service.js';
import type { ModelMenu } from './model-menu.service.js';
import type { ProviderHealth } from './provider-health.service.js';

const bundled = parseMenu(bundledMenuText(), registry);
let clock: ManualClock;
let menu: { version: number; modelsOf(provider: string): Model[]; sweep(): Promise<void> };
let unwell: Set<string>;
beforeEach(() => {
  clock = new ManualClock();
  unwell = new Set();
  menu = { version: 1, modelsOf: (provider) => modelsOf(bundled, provider, '2026-11-26'), sweep: async () => undefined };
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
});
afterEach(() => void jest.restoreAllMocks());

const health = {
  isWell: (name: string) => !unwell.has(name),
  ready: async () => undefined,
  sweep: async () => undefined,
  reportFailure: () => undefined,
} as unknown as ProviderHealth;

const provider = (name: string, more: Partial<Provider> = {}): Provider => ({
  name,
  title: name,
  setUp: () => undefined,
  abilities: {},
  checkKey: async () => undefined,
  ...more,
});
const catalogOf = (all: Provider[], typesAsText = false): ModelCatalog => {
  const providers = { all, surroundingsOf: () => ({}) } as unknown as Providers;
  return new ModelCatalog(providers, health, menu as unknown as ModelMenu, clock, { typesAsText } as MenuSettings);
};
const namesIn = async (catalog: ModelCatalog): Promise<string[]> =>
  (await catalog.menu()).models.map(({ model_name }) => model_name);

test('offers the rows of providers that are set up and well, and nothing of the others', async () => {
  const catalog = catalogOf([provider('openai'), provider('groq')]);
  const names = await namesIn(catalog);
  expect(names).toContain('openai-gpt-4o');
  expect(names).toContain('groq-llama3-70b-8192');
  expect(names.some((name) => name.startsWith('mistralapi-'))).toBe(false);
  unwell.add('groq');
  expect((await namesIn(catalog)).some((name) => name.startsWith('groq-'))).toBe(false);
});

test('finds a model by its exact name, and runs it by the name of the vendor', async () => {
  const catalog = catalogOf([provider('openai')]);
  expect((await catalog.find('openai-o1'))?.model.upstream).toBe('gpt-5.6-sol');
  for (const name of ['OPENAI-O1', 'openai-o', 'o1', 'openai-o1 ', 'gpt-5.6-sol'])
    expect(await catalog.find(name)).toBeUndefined();
});

test('leaves out what the vendor does not list, and everything while it lists nothing', async () => {
  let fails = true;
  const available = async (models: readonly Model[]): Promise<readonly Model[]> => {
    if (fails) throw new ProviderFailure('unavailable', 'away', true);
    return models.filter(({ upstream }) => upstream === 'gpt-4o');
  };
  const catalog = catalogOf([provider('openai', { available })]);
  expect(await namesIn(catalog)).toEqual([]);
  fails = false;
  clock.advance(30_000);
  await catalog.sweep(clock.now());
  expect(await namesIn(catalog)).toEqual(['openai-gpt-4o']);
});

test('a new menu counts at once', async () => {
  const catalog = catalogOf([provider('openai')]);
  expect(await namesIn(catalog)).toContain('openai-gpt-4o');
  menu = Object.assign(menu, { version: 2, modelsOf: () => modelsOf(bundled, 'openai', '2027-01-14').slice(-1) });
  expect(await namesIn(catalog)).toHaveLength(1);
});

test('models of the service stand beside those of the menu, and the first of a name has it', async () => {
  const [first] = modelsOf(bundled, 'groq', '2026-11-26');
  const own = { ...first!, upstream: 'own' };
  const catalog = catalogOf([provider('groq'), provider('openai-compatible', { models: async () => [own] })]);
  expect((await catalog.find(first!.entry.model_name))?.model.upstream).toBe(first!.upstream);
  unwell.add('groq');
  expect((await catalog.find(first!.entry.model_name))?.model.upstream).toBe('own');
});

test('types of a parameter are a list, or the text of one', async () => {
  const shape = async (asText: boolean) =>
    (await catalogOf([provider('groq')], asText).menu()).models[0]!.model_parameters[0]!.inference_types_parameter_applies_to;
  expect(await shape(false)).toEqual(['text_completion']);
  expect(await shape(true)).toBe("['text_completion']");
});
