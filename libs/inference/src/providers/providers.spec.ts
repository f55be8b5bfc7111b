import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import axios from 'axios';
import type { InferenceSettings } from '#config';
import { pythonAsciiJson } from '#protocol';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import { parametersOf } from '../quote/parameters.rules.js';
import { providersOf, type InferenceType, type Outcome, type Provider, ProviderFailure, type Surroundings } from './index.js';
import { estimateTokens } from './text-abilities.js';

const KEY = 'sk-local-123456789';
const settings: InferenceSettings = {
  minimumCostTenths: 5,
  confirmationBlocks: 10,
  resultRetentionDays: 30,
  openQuotesPerPastelIdMax: 100,
  executionsMax: 4,
  executionSecondsMax: 60,
  executionAttemptsMax: 3,
  downloadDirectory: './data/downloads',
  sandboxEnabled: true,
  openAiCompatibleUrl: undefined,
  openAiCompatibleKey: KEY,
  openAiCompatibleModels: [],
  openAiCompatibleUsdPerMillionInputTokens: 0.5,
  openAiCompatibleUsdPerMillionOutputTokens: 1.5,
};

/** A model server in the shape of the real ones; `answer` says how it behaves. */
class ModelServer {
  readonly seen: { path: string; headers: IncomingMessage['headers']; body: Record<string, unknown> }[] = [];
  answer: (path: string, body: Record<string, unknown>, response: ServerResponse) => void = () => undefined;
  private readonly server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {};
      this.seen.push({ path: request.url!, headers: request.headers, body });
      this.answer(request.url!, body, response);
    });
  });
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }
  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
const reply = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
};
const completion = (content: unknown, usage: unknown = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'llama3.2',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage,
});
const models = {
  object: 'list',
  data: [{ id: 'llama3.2', object: 'model' }, { id: 'nomic-embed-text', object: 'model' }, { id: 7 }, null],
};

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
const surroundings = (clock: ManualClock, signal: AbortSignal): Surroundings => ({
  http: axios.create({ timeout: 5000, maxContentLength: 100_000, maxRedirects: 0, proxy: false }),
  key: KEY,
  clock,
  signal,
});

async function run(
  provider: Provider,
  type: InferenceType,
  model: string,
  sent: object,
  options: { input?: string; signal?: AbortSignal; clock?: ManualClock; attempt?: number } = {},
): Promise<Outcome> {
  const around = surroundings(options.clock ?? new ManualClock(), options.signal ?? new AbortController().signal);
  const entry = (await provider.models(around)).find(({ model_name }) => model_name === model)!;
  return provider.abilities[type]!.run({
    ...around,
    model,
    input: options.input ?? 'Hello there',
    parameters: parametersOf(base64(sent), entry, type),
    deadline: new Date(),
    idempotencyKey: 'request-1',
    attempt: options.attempt ?? 1,
  });
}
async function failureOf(work: Promise<unknown>): Promise<ProviderFailure> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ProviderFailure);
  return failure as ProviderFailure;
}

describe('every provider', () => {
  test('publishes entries with all eight keys, and parameters that clients understand', async () => {
    const all = providersOf({
      ...settings,
      openAiCompatibleUrl: 'http://127.0.0.1:1/v1',
      openAiCompatibleModels: ['a', 'b-embed'],
    });
    expect(all.map(({ name }) => name)).toEqual(['sandbox', 'openai-compatible']);
    for (const provider of all) {
      for (const entry of await provider.models(surroundings(new ManualClock(), new AbortController().signal))) {
        expect(Object.keys(entry).sort()).toEqual([
          'credit_costs',
          'description',
          'input_fields',
          'model_name',
          'model_parameters',
          'model_url',
          'output_fields',
          'supported_inference_type_strings',
        ]);
        expect(entry.supported_inference_type_strings.every((type) => provider.abilities[type])).toBe(true);
        for (const parameter of entry.model_parameters) {
          expect(['int', 'float', 'string']).toContain(parameter.type);
          expect(Array.isArray(parameter.inference_types_parameter_applies_to)).toBe(true);
          for (const key of ['name', 'type', 'default', 'description']) expect(parameter).toHaveProperty(key);
        }
      }
    }
  });

  test('is left out where it is not set up', () => {
    expect(providersOf({ ...settings, sandboxEnabled: false })).toEqual([]);
  });

  test('completions multiply the tokens, not only the calls', () => {
    for (const provider of providersOf({ ...settings, openAiCompatibleUrl: 'http://127.0.0.1:1/v1' })) {
      const ability = provider.abilities.text_completion!;
      const one = ability.price(ability.count('Hello there', { number_of_tokens_to_generate: 500 }), 'x');
      expect(
        ability.price(
          ability.count('Hello there', { number_of_tokens_to_generate: 500, number_of_completions_to_generate: 3 }),
          'x',
        ),
      ).toBeCloseTo(3 * one, 12);
    }
  });

  test('a system message is counted, and the estimate is no less than a tokenizer counts', () => {
    const [, provider] = providersOf({ ...settings, openAiCompatibleUrl: 'http://127.0.0.1:1/v1' });
    expect(provider!.abilities.text_completion!.count('abc', { system_message: 'x'.repeat(300) }).inputTokens).toBe(101);
    expect(estimateTokens('Hello, how are you?')).toBeGreaterThanOrEqual(6);
    expect(estimateTokens('')).toBe(0);
  });
});

describe('the sandbox', () => {
  const [sandbox] = providersOf(settings) as [Provider];
  const echo = (sent: object, options: Parameters<typeof run>[4] = {}) =>
    run(sandbox, 'text_completion', 'sandbox-echo', sent, options);

  test('repeats the prompt, no more words than may be generated', async () => {
    expect(await echo({}, { input: 'one two three' })).toMatchObject({
      output: 'You said: one two three',
      outputText: 'txt',
      files: ['NA'],
    });
    expect(await echo({ number_of_tokens_to_generate: 2 }, { input: 'one two three' })).toMatchObject({
      output: 'You said: one two',
    });
  });

  test('several completions are one text of a JSON object', async () => {
    const { output, outputText } = await echo({ number_of_completions_to_generate: 2 }, { input: 'hi' });
    expect(JSON.parse(output as string)).toEqual({ completion_01: 'You said: hi', completion_02: 'You said: hi' });
    expect(outputText).toBe('json');
  });

  test('embeds the same text as the same sixteen floats', async () => {
    const first = await run(sandbox, 'embedding', 'sandbox-echo', {}, { input: 'hi' });
    const second = await run(sandbox, 'embedding', 'sandbox-echo', {}, { input: 'hi' });
    expect(pythonAsciiJson(first.output)).toBe(pythonAsciiJson(second.output));
    const vector = JSON.parse(pythonAsciiJson(first.output)) as number[];
    expect(vector).toHaveLength(16);
    expect(vector.every((x) => Math.abs(x) <= 1)).toBe(true);
  });

  test('waits as long as it is told, and stops when it is interrupted', async () => {
    const clock = new ManualClock();
    let isDone = false;
    const slow = echo({ sandbox_delay_ms: 3000 }, { clock }).then(() => (isDone = true));
    await new Promise(setImmediate);
    clock.advance(2999);
    await new Promise(setImmediate);
    expect(isDone).toBe(false);
    clock.advance(1);
    await slow;
    const abort = new AbortController();
    const interrupted = failureOf(echo({ sandbox_delay_ms: 3000 }, { clock, signal: abort.signal }));
    abort.abort();
    expect(await interrupted).toMatchObject({ code: 'deadline_exceeded', retryable: true });
  });

  test('fails as it is told', async () => {
    expect(await failureOf(echo({ sandbox_failure: 'refused' }))).toMatchObject({ code: 'refused', retryable: false });
    expect(await failureOf(echo({ sandbox_failure: 'unavailable' }))).toMatchObject({ code: 'unavailable', retryable: true });
    expect(await failureOf(echo({ sandbox_failure: 'malformed' }))).toMatchObject({ code: 'malformed_answer' });
    await failureOf(echo({ sandbox_failure: 'unavailable_once' }));
    expect(await echo({ sandbox_failure: 'unavailable_once' }, { attempt: 2 })).toMatchObject({ outputText: 'txt' });
    await expect(echo({ sandbox_failure: 'crash' })).rejects.toThrow(TypeError);
  });

  test('lies about its usage as it is told', async () => {
    expect((await echo({ sandbox_usage: 'missing' })).usage).toBeUndefined();
    expect((await echo({ sandbox_usage: 'negative' })).usage!.outputTokens).toBe(-1);
    expect((await echo({ sandbox_usage: 'absurd' })).usage!.inputTokens).toBe(1e300);
  });
});

describe('the openai-compatible provider', () => {
  const server = new ModelServer();
  let provider: Provider;
  const ask = (sent: object = {}, options: Parameters<typeof run>[4] = {}) =>
    run(provider, 'text_completion', 'llama3.2', sent, options);
  const answer = (status: number, body: unknown): void => {
    server.answer = (path, _, response) => (path === '/v1/models' ? reply(response, 200, models) : reply(response, status, body));
  };
  beforeAll(async () => {
    const url = await server.listen();
    provider = providersOf({ ...settings, sandboxEnabled: false, openAiCompatibleUrl: `${url}/` })[0]!;
  });
  beforeEach(() => {
    server.seen.length = 0;
    answer(200, completion('Hi!'));
  });
  afterAll(() => server.close());

  test('offers what the server lists, embedding models apart', async () => {
    const listed = await provider.models(surroundings(new ManualClock(), new AbortController().signal));
    expect(listed.map(({ model_name, supported_inference_type_strings: types }) => [model_name, ...types])).toEqual([
      ['llama3.2', 'text_completion'],
      ['nomic-embed-text', 'embedding'],
    ]);
    expect(server.seen[0]!.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  test('asks in the words of the protocol, and leaves out what is not set', async () => {
    expect(await ask()).toEqual({ output: 'Hi!', outputText: 'txt', files: ['NA'], usage: { inputTokens: 9, outputTokens: 12 } });
    const { path, headers, body } = server.seen.at(-1)!;
    expect(path).toBe('/v1/chat/completions');
    expect(headers['idempotency-key']).toBe('request-1-1');
    expect(body).toEqual({
      model: 'llama3.2',
      messages: [{ role: 'user', content: 'Hello there' }],
      stream: false,
      max_tokens: 1000,
      temperature: 0.7,
    });
  });

  test('passes every parameter on', async () => {
    await ask({
      number_of_tokens_to_generate: '50',
      temperature: 0,
      top_p: 0.9,
      stop: ['a', 'b'],
      seed: '7',
      presence_penalty: 1,
      frequency_penalty: -1,
      system_message: 'Be brief',
      response_format: { type: 'json_object' },
    });
    expect(server.seen.at(-1)!.body).toEqual({
      model: 'llama3.2',
      stream: false,
      max_tokens: 50,
      temperature: 0,
      top_p: 0.9,
      stop: ['a', 'b'],
      seed: 7,
      presence_penalty: 1,
      frequency_penalty: -1,
      response_format: { type: 'json_object' },
      messages: [
        { role: 'system', content: 'Be brief' },
        { role: 'user', content: 'Hello there' },
      ],
    });
  });

  test('makes one call for each completion, with another seed each, and adds the usage up', async () => {
    const { output, usage } = await ask({ number_of_completions_to_generate: 2, seed: 7 });
    expect(JSON.parse(output as string)).toEqual({ completion_01: 'Hi!', completion_02: 'Hi!' });
    expect(usage).toEqual({ inputTokens: 18, outputTokens: 24 });
    expect(server.seen.slice(-2).map(({ body }) => body['seed'])).toEqual([7, 8]);
  });

  test('says json of an answer that is JSON', async () => {
    answer(200, completion('{"a": 1}'));
    expect((await ask()).outputText).toBe('json');
    answer(200, completion('{not json'));
    expect((await ask()).outputText).toBe('txt');
  });

  test('usage that is missing or nonsense does not spoil an answer', async () => {
    answer(200, { ...completion('Hi!'), usage: undefined });
    expect((await ask()).usage).toEqual({ inputTokens: undefined, outputTokens: undefined });
    answer(200, completion('Hi!', { prompt_tokens: -5, completion_tokens: 1e300 }));
    expect((await ask()).usage).toEqual({ inputTokens: -5, outputTokens: 1e300 });
  });

  test.each([
    [400, { error: { message: `bad\u0000 for key ${KEY}`, type: 'invalid_request_error' } }, 'refused', false],
    [401, { error: { message: 'Incorrect API key' } }, 'refused', false],
    [404, { error: 'model not found' }, 'refused', false],
    [422, { detail: 'no' }, 'refused', false],
    [429, { error: { message: 'slow down' } }, 'unavailable', true],
    [500, 'oops', 'unavailable', true],
    [503, '', 'unavailable', true],
    [302, '', 'refused', false],
  ])('HTTP %i is told apart', async (status, body, code, retryable) => {
    answer(status, body);
    const failure = await failureOf(ask());
    expect(failure).toMatchObject({ code, retryable });
    expect(failure.message).not.toContain(KEY);
    expect(failure.message).not.toContain('127.0.0.1');
    expect(failure.message).not.toContain('\0');
  });

  test.each([
    '',
    'not json',
    '[]',
    '{}',
    '{"choices": []}',
    '{"choices": [{"message": {"content": null}}]}',
    '{"choices": [{"message": {"content": 5}}]}',
    '{"choices": 7}',
  ])('an answer of another shape is a failure: %p', async (body) => {
    answer(200, body);
    expect(await failureOf(ask())).toMatchObject({ code: 'malformed_answer', retryable: true });
  });

  test('an answer larger than the limit is cut off', async () => {
    answer(200, completion('x'.repeat(200_000)));
    expect(await failureOf(ask())).toMatchObject({ code: 'answer_too_large', retryable: false });
  });

  test('a server that stalls is left when the signal says so; one that is away can be tried again', async () => {
    const abort = new AbortController();
    server.answer = (path, _, response) => (path === '/v1/models' ? reply(response, 200, models) : abort.abort());
    expect(await failureOf(ask({}, { signal: abort.signal }))).toMatchObject({ code: 'deadline_exceeded', retryable: true });
    const away = providersOf({
      ...settings,
      sandboxEnabled: false,
      openAiCompatibleUrl: 'http://127.0.0.1:9/v1',
      openAiCompatibleModels: ['m'],
    })[0]!;
    expect(await failureOf(away.checkKey(surroundings(new ManualClock(), new AbortController().signal)))).toMatchObject({
      code: 'unavailable',
      retryable: true,
    });
    expect(await failureOf(run(away, 'text_completion', 'm', {}))).toMatchObject({ code: 'unavailable' });
  });

  test('embeds, and prints whole numbers as floats', async () => {
    const embed = (body: unknown) => {
      answer(200, body);
      return run(provider, 'embedding', 'nomic-embed-text', {});
    };
    const { output, outputText } = await embed({ data: [{ embedding: [1, -0.25, 1e-7] }], usage: { prompt_tokens: 3 } });
    expect([pythonAsciiJson(output), outputText]).toEqual(['[1.0, -0.25, 1e-07]', 'embedding']);
    for (const body of [{ data: [] }, { data: [{ embedding: [] }] }, { data: [{ embedding: ['1'] }] }, {}]) {
      expect(await failureOf(embed(body))).toMatchObject({ code: 'malformed_answer' });
    }
  });
});
