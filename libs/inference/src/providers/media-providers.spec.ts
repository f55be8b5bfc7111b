import { describe, expect, test } from '@jest/globals';
import axios, { type InternalAxiosRequestConfig } from 'axios';
import { Readable } from 'node:stream';
import { Refusal } from '#protocol';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import { anthropic } from './anthropic.js';
import { menuEntry } from './kit/text.js';
import type { Input, InferenceType, Model, ParameterValues, Pricing, Provider, Surroundings } from './provider.js';
import { stability } from './stability.js';

const tokens: Pricing = { per: 'million tokens', input: '3', output: '15' };
const model = (upstream: string, pricing: Pricing = tokens): Model => ({
  entry: menuEntry({ model_name: upstream, description: '', supported_inference_type_strings: [], model_parameters: [] }),
  upstream,
  pricing,
});
const picture = (width: number, height: number, size = 100, format: 'png' | 'gif' = 'png'): Input => ({
  text: 'a cat',
  media: { bytes: Buffer.alloc(size), facts: { kind: 'image', format, width, height } },
});
const paper = (pages: number, size = 100): Input => ({
  text: '',
  media: { bytes: Buffer.alloc(size), facts: { kind: 'document', format: 'pdf', pages } },
});
const around = (json: unknown): Surroundings<{ url: string; key: string }> => ({
  http: axios.create({
    adapter: async (config: InternalAxiosRequestConfig) => ({
      status: 200,
      statusText: '',
      headers: { 'content-type': 'application/json' },
      config,
      data: Readable.from([Buffer.from(JSON.stringify(json))]),
    }),
  }),
  options: { url: 'http://vendor', key: 'a-key-of-ours' },
  clock: new ManualClock(),
  files: { offer: () => Promise.reject(new Error('no file is handed over')) },
  signal: new AbortController().signal,
});
const nobody = around({});

async function count<O>(
  provider: Provider<O>,
  type: InferenceType,
  ask: { model: Model; input: Input; parameters?: ParameterValues },
) {
  return provider.abilities[type]!.count({ parameters: {}, ...ask }, nobody as unknown as Surroundings<O>);
}
async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Refusal);
  return (error as Refusal).message;
}

describe('Claude', () => {
  const older = model('claude-sonnet-4-6');
  const newer = model('claude-sonnet-5-5');
  const inputTokens = async (type: InferenceType, which: Model, input: Input, parameters: ParameterValues = {}) =>
    (await count(anthropic, type, { model: which, input, parameters })).inputTokens;

  test('a picture counts by what the model sees of it', async () => {
    const question = await inputTokens('text_completion', older, { text: 'a cat' });
    const of = (which: Model, width: number, height: number) =>
      inputTokens('ask_question_about_an_image', which, picture(width, height));
    expect(await of(older, 1000, 1000)).toBe(1334 + question);
    expect(await of(older, 4000, 4000)).toBe(1600 + question);
    expect(await of(newer, 4000, 4000)).toBe(4784 + question);
  });
  test('a document counts by its pages, read and looked at', async () => {
    expect(await inputTokens('analyze_document', older, paper(10))).toBe(46_000);
    const asked = await inputTokens('analyze_document', older, paper(10), { query: 'What does it say?' });
    expect(asked).toBeGreaterThan(46_000);
  });
  test('the system message and the wanted form are read as well', async () => {
    const plain = await inputTokens('text_completion', older, { text: 'Hi' });
    const told = { system_message: 'Be brief', response_format: '{"type":"json_schema","json_schema":{"type":"object"}}' };
    expect(await inputTokens('text_completion', older, { text: 'Hi' }, told)).toBeGreaterThan(plain + 15);
  });
  test('what it would not take is refused before anybody pays', async () => {
    const ask = (type: InferenceType, input: Input, parameters: ParameterValues = {}, which = older) =>
      refusalOf(count(anthropic, type, { model: which, input, parameters }));
    const text = { text: 'Hi' };
    expect(await ask('ask_question_about_an_image', picture(10, 10, 4 * 2 ** 20))).toContain("'image' is longer than 5242880");
    expect(await ask('ask_question_about_an_image', picture(9000, 10))).toContain('8000 a side');
    expect(await ask('ask_question_about_an_image', text)).toContain('no picture');
    expect(await ask('analyze_document', paper(1, 24_000_000))).toContain("'document' is longer");
    expect(await ask('analyze_document', picture(10, 10))).toContain('no PDF');
    expect(await ask('text_completion', text, { response_format: 'xml' })).toContain("'response_format'");
    expect(await ask('text_completion', text, { metadata: '{"user":"me"}' })).toContain("'metadata'");
    expect(await ask('text_completion', text, { cache_control: 'for ever' })).toContain("'cache_control'");
    expect(await ask('text_completion', text, { cache_control: 'ephemeral' })).toContain("'cache_control' is not for this model");
    const paid = model('claude-sonnet-4-6', { per: 'million tokens', input: '3', output: '15', cacheWrite: '3.75' });
    await expect(
      count(anthropic, 'text_completion', { model: paid, input: text, parameters: { cache_control: 'ephemeral' } }),
    ).resolves.toBeDefined();
  });
  test('models are found in the list with or without their day', async () => {
    const listed = { data: [{ id: 'claude-opus-4-1-20250805' }, { id: 'claude-sonnet-4-6' }, { id: 7 }] };
    const asked = ['claude-opus-4-1', 'claude-opus-4', 'claude-opus-4-1-20250805', 'claude-sonnet-4-6', 'claude-3-opus-latest'];
    const found = await anthropic.available!(
      asked.map((name) => model(name)),
      around(listed),
    );
    expect(found.map(({ upstream }) => upstream)).toEqual(['claude-opus-4-1', 'claude-opus-4-1-20250805', 'claude-sonnet-4-6']);
  });
});

describe('Stability AI', () => {
  const ask = (type: InferenceType, input: Input, parameters: ParameterValues = {}) =>
    refusalOf(count(stability, type, { model: model('core'), input, parameters }));
  test('pictures of the wrong size, and none, are refused before anybody pays', async () => {
    expect(await ask('creative_upscale', picture(1025, 1024))).toContain('from 4096 to 1048576 in all');
    expect(await ask('conservative_upscale', picture(63, 100))).toContain('64 a side at least');
    expect(await ask('conservative_upscale', picture(1000, 300))).toContain('2.5 times');
    expect(await ask('conservative_upscale', picture(100, 100, 11 * 2 ** 20))).toContain('larger than');
    expect(await ask('conservative_upscale', picture(100, 100, 100, 'gif'))).toContain('no PNG, JPEG or WebP');
    expect(await ask('conservative_upscale', { ...picture(100, 100), text: '' })).toContain("'prompt' is missing");
    expect(await ask('text_to_image', { text: 'x'.repeat(10_001) })).toContain("'prompt' is longer");
    expect(await ask('text_to_image', { text: 'x' }, { aspect_ratio: '7:1' })).toContain("'aspect_ratio'");
  });
  test('a picture is one call', async () => {
    const one = { inputTokens: 0, outputTokensMax: 0, completions: 1 };
    expect(await count(stability, 'text_to_image', { model: model('core'), input: { text: 'a cat' } })).toEqual(one);
    expect(await count(stability, 'creative_upscale', { model: model('creative'), input: picture(1024, 1024) })).toEqual(one);
  });
});
