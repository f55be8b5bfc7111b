import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import axios from 'axios';
import fc from 'fast-check';
import { Environment } from '#config';
import { Refusal } from '#protocol';
import { ManualClock } from '../../../../../test/support/manual-clock.js';
import { providers, ProviderFailure, type Model, type Provider, type Surroundings } from '../index.js';
import { telling, toldParameters } from './chat-parameters.js';
import { cleaned, failureInStream, failureOfAnswer, retryAfterOf } from './failures.js';
import { callBytes, callEvents, callJson } from './http.js';

const now = new Date('2026-01-05T12:00:00Z');
interface Said {
  readonly status?: number;
  readonly type?: string;
  readonly body: string | Buffer;
}
/** A service that answers everything in the same way. */
const around = (said: Said, options: unknown = undefined): Surroundings => ({
  http: axios.create({
    adapter: async (config) => ({
      status: said.status ?? 200,
      statusText: '',
      headers: { 'content-type': said.type ?? 'application/json' },
      config,
      data: Readable.from([Buffer.from(said.body)], { objectMode: false }),
    }),
  }),
  options,
  clock: new ManualClock(),
  files: { offer: () => Promise.reject(new Error('no files')) },
  signal: new AbortController().signal,
});
const failureOf = async (work: Promise<unknown>): Promise<ProviderFailure> => {
  const error = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProviderFailure);
  return error as ProviderFailure;
};
const url = 'http://vendor.test/v1';

describe('a call', () => {
  test('ends where the answer grows beyond its limit', async () => {
    const much = around({ type: 'image/png', body: Buffer.alloc(1001) });
    expect(await failureOf(callBytes(much, { url, accept: 'image/*', bytesMax: 1000 }))).toMatchObject({
      code: 'answer_too_large',
      retryable: false,
    });
    const { bytes, contentType } = await callBytes(much, { url, accept: 'image/*', bytesMax: 1001 });
    expect([bytes.length, contentType]).toEqual([1001, 'image/png']);
  });

  test('takes JSON under its many names, and nothing else', async () => {
    expect(await callJson(around({ type: 'application/problem+json; charset=utf-8', body: '[1]' }), { url })).toEqual([1]);
    for (const said of [{ body: '' }, { body: '7' }, { type: 'text/json5', body: '{}' }])
      expect((await failureOf(callJson(around(said), { url }))).code).toBe('malformed_answer');
  });

  test('gives plain JSON as one event where a stream was asked for', async () => {
    const events = [];
    for await (const event of callEvents(around({ body: '{"a":1}' }), { url })) events.push(event);
    expect(events).toEqual([{ event: undefined, data: '{"a":1}' }]);
  });
});

describe('failures', () => {
  test('how long to wait is read wherever vendors write it', () => {
    const read = (headers: Record<string, string>) => retryAfterOf(headers, now);
    expect(read({ 'retry-after-ms': '1500', 'retry-after': '2' })).toBe(1500);
    expect(read({ 'retry-after': '0.5' })).toBe(500);
    expect(read({ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '6m0.5s' })).toBe(360_500);
    expect(read({ 'x-ratelimit-remaining-requests': '3', 'x-ratelimit-reset-requests': '6m0s' })).toBeUndefined();
    expect(read({ 'x-ratelimit-reset': String(now.getTime() + 9000) })).toBe(9000);
    expect(read({ 'retry-after': 'Mon, 05 Jan 2026 11:00:00 GMT' })).toBe(0);
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('retry-after', 'retry-after-ms', 'x-ratelimit-reset'), fc.string()),
        (headers) => {
          const ms = read(headers);
          expect(ms === undefined || (Number.isInteger(ms) && ms >= 0 && ms <= 3_600_000)).toBe(true);
        },
      ),
    );
  });

  test('an account without funds is the operator’s matter under any status', () => {
    const text = JSON.stringify({ error: { message: 'quota', code: 'insufficient_quota' } });
    const failure = failureOfAnswer({ status: 429, headers: { 'retry-after': '5' }, text }, { now });
    expect([failure.code, failure.retryable, failure.retryAfterMs]).toEqual(['misconfigured', false, undefined]);
    expect(failureInStream({ type: 'overloaded_error', message: 'x' }, { now }).code).toBe('unavailable');
    expect(failureInStream({ code: 400, message: 'x' }, { now }).code).toBe('refused');
    expect(failureInStream({ code: 'rate_limit_exceeded' }, { now }).code).toBe('rate_limited');
  });

  test('whatever a vendor says, no key, address or control character is shown', () => {
    const secret = 'kq7-very-secret';
    const parts = fc.constantFrom(
      secret,
      'http://10.0.0.1/a',
      '127.0.0.1:80',
      '[::1]:9',
      'api.internal',
      '\u001b[0m',
      '\u202e',
      'why',
      ' ',
      '\ud800',
    );
    fc.assert(
      fc.property(fc.array(parts), (words) => {
        const text = cleaned(words.join(' '), secret);
        expect(text).not.toMatch(/very-secret|10\.0\.0\.1|127\.0|::1|internal|[\u0000-\u001f\u202e]/);
        expect(text.length).toBeLessThanOrEqual(200);
        expect(text.isWellFormed()).toBe(true);
      }),
    );
    expect(cleaned('Incorrect API key provided: sk-proj-abc*****wxyz.')).not.toContain('wxyz');
  });
});

describe('parameters that are JSON', () => {
  const table = telling('tools', 'tool_choice', 'response_format', 'logit_bias', 'stop', 'parallel_tool_calls');
  const told = (parameters: Record<string, string>) => toldParameters(table, parameters, 0);

  test('are read, whatever form they come in', () => {
    expect(told({ stop: 'END' })).toEqual({ stop: ['END'] });
    expect(told({ stop: '["a","b","c","d","e"]' })).toEqual({ stop: ['a', 'b', 'c', 'd'] });
    expect(told({ response_format: 'text', tools: '[]' })).toEqual({});
    expect(told({ tool_choice: '{"type":"function","function":{"name":"f","more":1}}' })).toEqual({
      tool_choice: { type: 'function', function: { name: 'f' } },
    });
  });

  test.each([
    ['tools', '{"a": 1}'],
    ['tools', 'no json'],
    ['tools', '[{"type":"code_interpreter"}]'],
    ['tools', '[{"type":"function","function":{"name":"a b"}}]'],
    ['tool_choice', 'sometimes'],
    ['response_format', '{"type":"json_schema"}'],
    ['logit_bias', '{"50256": 1000}'],
    ['logit_bias', '[1]'],
    ['stop', '[1]'],
    ['parallel_tool_calls', 'perhaps'],
  ])('%s=%s is refused, before anybody pays', (name, value) => {
    expect(() => told({ [name]: value })).toThrow(Refusal);
  });
});

describe('an own model server', () => {
  const provider = providers.find(({ name }) => name === 'openai-compatible') as Provider;
  const options = provider.setUp(new Environment({ OPENAI_COMPATIBLE_URL: `${url}/` }));
  const listed = JSON.stringify({
    data: [{ id: 'llama3.2' }, { id: 'nomic-embed-text' }, { id: 7 }, null, { id: 'x'.repeat(201) }],
  });

  test('offers what it lists, embedding models apart, each with all eight keys', async () => {
    const models = await provider.models!(around({ body: listed }, options));
    expect(models.map(({ entry }) => [entry.model_name, ...entry.supported_inference_type_strings])).toEqual([
      ['llama3.2', 'text_completion'],
      ['nomic-embed-text', 'embedding'],
    ]);
    for (const { entry } of models) expect(Object.keys(entry)).toHaveLength(8);
    expect((await failureOf(provider.models!(around({ body: '{}' }, options)))).code).toBe('malformed_answer');
  });

  const run = async (said: Said, type: 'text_completion' | 'embedding' = 'text_completion') =>
    provider.abilities[type]!.run({
      ...around(said, options),
      model: 'm',
      type,
      input: { text: 'Hello' },
      parameters: {},
      deadline: now,
      idempotencyKey: 'request-1',
      attempt: 1,
    });
  test.each([
    '{}',
    '{"choices": []}',
    '{"choices": 7}',
    '{"choices": [7]}',
    '{"choices": [{"message": {"content": null}}]}',
    '{"choices": [{"message": {"content": 5}}]}',
    '{"choices": [{"index": 3, "message": {"content": "a"}}]}',
  ])('an answer of another shape is a failure: %p', async (body) => {
    expect(await failureOf(run({ body }))).toMatchObject({ retryable: true });
  });
  test.each([
    '{}',
    '{"data": []}',
    '{"data": [{"embedding": []}]}',
    '{"data": [{"embedding": ["1"]}]}',
    '{"data": [{"embedding": [1e999]}]}',
  ])('and so is a vector of another shape: %p', async (body) => {
    expect(await failureOf(run({ body }, 'embedding'))).toMatchObject({ code: 'malformed_answer', retryable: true });
  });

  test('pays for every completion, and for the words of the system', () => {
    const model = { entry: { model_name: 'm' }, upstream: 'm' } as unknown as Model;
    const count = (parameters: Record<string, number | string>) =>
      provider.abilities.text_completion!.count({ model, input: { text: 'abc' }, parameters }, around({ body: '' }, options));
    expect(count({ number_of_completions_to_generate: 3 })).toMatchObject({ completions: 3, inputTokens: 1 });
    expect(count({ system_message: 'x'.repeat(300) })).toMatchObject({ inputTokens: 101 });
  });
});
