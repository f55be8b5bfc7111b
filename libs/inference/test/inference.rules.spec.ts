import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { envExample } from '#config';
import { Refusal } from '#protocol';
import { promptOf } from '../src/quote/input.rules.js';
import { parametersOf } from '../src/quote/parameters.rules.js';
import { menuEntry } from '../src/providers/kit/text.js';
import { providers, type ModelMenuEntry } from '../src/providers/index.js';
import { expiredBelow, isSettled, legalSteps, mayStep, requestStates } from '../src/payment/request-state.rules.js';
import { resultFields, unservedFields } from '../src/execution/result.rules.js';
import { soundUsage } from '../src/execution/usage.rules.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const refusalOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal && error.code === 'bad-request') return error.message;
    throw error;
  }
  throw new Error('was not refused');
};

describe('the state machine', () => {
  const pairs = requestStates.flatMap((from) => requestStates.map((to) => [from, to] as const));
  const legal = [
    'QUOTED>CONFIRMED',
    'QUOTED>EXPIRED',
    'QUOTED>REFUSED',
    'CONFIRMED>EXECUTING',
    'CONFIRMED>FAILED',
    'EXECUTING>COMPLETED',
    'EXECUTING>FAILED',
    'EXECUTING>CONFIRMED',
    'EXPIRED>CONFIRMED',
    'EXPIRED>REFUSED',
  ];
  test.each(pairs)('%s to %s', (from, to) => expect(mayStep(from, to)).toBe(legal.includes(`${from}>${to}`)));

  test('every state can be reached from QUOTED, and every state but three leads on to an end', () => {
    const reached = new Set<string>(['QUOTED']);
    for (const state of reached) for (const next of legalSteps[state as keyof typeof legalSteps]) reached.add(next);
    expect([...reached].sort()).toEqual([...requestStates].sort());
    expect(requestStates.filter((state) => legalSteps[state].length === 0)).toEqual(['COMPLETED', 'FAILED', 'REFUSED']);
  });

  test('nothing leads back to an unpaid state, so no burn is named twice', () => {
    for (const state of requestStates.filter(isSettled)) expect(legalSteps[state].every(isSettled)).toBe(true);
  });

  test('a quote expires after its last height and the grace, not before', () => {
    expect([110, 111, 115, 116].map((height) => 110 < expiredBelow(height))).toEqual([false, false, false, true]);
  });
});

describe('the prompt', () => {
  const prompts = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.trim() !== '');

  test('a text in quotes, or wrapped in an object, is the text', () => {
    fc.assert(
      fc.property(prompts, fc.constantFrom('prompt', 'imagePrompt', 'input_prompt', 'text'), (prompt, name) => {
        expect(promptOf(base64(JSON.stringify(prompt)))).toBe(prompt);
        expect(promptOf(base64(JSON.stringify({ [name]: prompt })))).toBe(prompt);
      }),
    );
  });

  test('bare text is itself, also when it looks like base64 or like broken JSON', () => {
    for (const text of ['test', 'abcd', 'dGVzdA==', '{"prompt": ', '"open', '[1, 2]', '12', 'true', '  spaces  ', '\ufeffbom']) {
      expect(promptOf(base64(text))).toBe(text);
    }
  });

  test('an object that means more than a prompt stays as it is', () => {
    for (const text of [
      '{"prompt": "a", "text": "b"}',
      '{"prompt": 1}',
      '{"other": "a"}',
      '{}',
      '{"prompt": {"text": "a"}}',
      '{"image":"x","question":"y"}',
    ]) {
      expect(promptOf(base64(text))).toBe(text);
    }
  });

  test('any bytes are either a prompt or a refusal', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
          fc.string(),
        ),
        (text) => {
          try {
            expect(promptOf(text).length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(Refusal);
          }
        },
      ),
    );
  });

  test('what is no base64, no UTF-8 or empty is refused', () => {
    expect(refusalOf(() => promptOf('a'))).toContain('model_input_data_json_b64 is not base64');
    expect(refusalOf(() => promptOf('/w=='))).toContain('UTF-8');
    expect(refusalOf(() => promptOf(base64('{"prompt": " "}')))).toContain('no prompt');
    expect(refusalOf(() => promptOf(''))).toContain('no prompt');
  });
});

const both = { inference_types_parameter_applies_to: ['text_completion', 'embedding'] } as const;
const textOnly = { inference_types_parameter_applies_to: ['text_completion'] } as const;
const model: ModelMenuEntry = menuEntry({
  model_name: 'a-model',
  description: '',
  supported_inference_type_strings: ['text_completion', 'embedding'],
  model_parameters: [
    { name: 'number_of_tokens_to_generate', type: 'int', default: 1000, minimum: 1, maximum: 2000, description: '', ...textOnly },
    { name: 'temperature', type: 'float', default: 0.7, minimum: 0, maximum: 2, description: '', ...textOnly },
    { name: 'stop', type: 'string', default: '', description: '', ...textOnly },
    { name: 'response_format', type: 'string', default: null, options: ['text', 'json_object'], description: '', ...textOnly },
    { name: 'speed', type: 'int', default: null, description: '', ...both },
  ],
});
const read = (parameters: unknown, type: 'text_completion' | 'embedding' = 'text_completion') =>
  parametersOf(base64(JSON.stringify(parameters)), model, type);

describe('parameters', () => {
  test('defaults fill in what is absent, empty or null', () => {
    const defaults = { number_of_tokens_to_generate: 1000, temperature: 0.7 };
    expect(read({})).toEqual(defaults);
    expect(parametersOf('', model, 'text_completion')).toEqual(defaults);
    expect(read({ number_of_tokens_to_generate: '', temperature: null, stop: ' ', grammar_file_string: '' })).toEqual(defaults);
  });

  test('numbers may come as text, as the pages send them', () => {
    expect(read({ number_of_tokens_to_generate: '500', temperature: ' 1e0 ', speed: '3.0' })).toMatchObject({
      number_of_tokens_to_generate: 500,
      temperature: 1,
      speed: 3,
    });
  });

  test('beyond a limit is clamped: price and execution see the same', () => {
    expect(read({ number_of_tokens_to_generate: -5, temperature: '99' })).toMatchObject({
      number_of_tokens_to_generate: 1,
      temperature: 2,
    });
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.integer().map(String), fc.maxSafeInteger()), (n) => {
        const value = read({ number_of_tokens_to_generate: n })['number_of_tokens_to_generate'] as number;
        expect(Number.isInteger(value) && value >= 1 && value <= 2000).toBe(true);
      }),
    );
  });

  test('whatever JSON comes, the result is numbers in range and texts, or a refusal', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('number_of_tokens_to_generate', 'temperature', 'stop', 'response_format', 'x', '__proto__'),
          fc.jsonValue(),
        ),
        (sent) => {
          try {
            for (const [name, value] of Object.entries(read(sent))) {
              expect(model.model_parameters.some((p) => p.name === name)).toBe(true);
              expect(typeof value === 'string' || Number.isFinite(value)).toBe(true);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(Refusal);
          }
        },
      ),
    );
  });

  test('unknown and unreadable ones are refused by name', () => {
    expect(refusalOf(() => read({ prompt_cache_hit_tokens: 5000 }))).toContain("'prompt_cache_hit_tokens' is unknown");
    expect(refusalOf(() => read({ n: '' }))).toContain("'n' is unknown");
    expect(refusalOf(() => read({ number_of_tokens_to_generate: 'many' }))).toContain('not a whole number');
    expect(refusalOf(() => read({ number_of_tokens_to_generate: 1.5 }))).toContain('not a whole number');
    expect(refusalOf(() => read({ temperature: true }))).toContain('not a number');
    expect(refusalOf(() => read({ temperature: '0x10' }))).toContain('not a number');
    expect(refusalOf(() => read({ response_format: 'xml' }))).toContain('none of text, json_object');
    expect(refusalOf(() => read({ stop: 5 }))).toContain('not a text');
    expect(refusalOf(() => read({ grammar_file_string: 'root ::= "a"' }))).toContain('grammar_file_string');
    expect(refusalOf(() => read([]))).toContain('JSON object');
    expect(refusalOf(() => parametersOf('!!!!', model, 'text_completion'))).toContain('base64');
    expect(refusalOf(() => parametersOf('A'.repeat(300_000), model, 'text_completion'))).toContain('longer');
  });

  test('other names of the same thing, and its other forms, are understood', () => {
    expect(read({ max_tokens: 7, 'temperature [Optional]': 1 })).toMatchObject({
      number_of_tokens_to_generate: 7,
      temperature: 1,
    });
    expect(read({ max_tokens: 7, number_of_tokens_to_generate: '7' })).toMatchObject({ number_of_tokens_to_generate: 7 });
    expect(refusalOf(() => read({ max_tokens: 7, number_of_tokens_to_generate: 8 }))).toContain('twice');
    expect(read({ response_format: { type: 'json_object' }, stop: ['a', 'b'] })).toMatchObject({
      response_format: 'json_object',
      stop: '["a","b"]',
    });
  });

  test('what belongs to another sort of work asks for nothing', () => {
    expect(
      read(
        { number_of_tokens_to_generate: '1000', temperature: 0.7, number_of_completions_to_generate: 1, speed: 2 },
        'embedding',
      ),
    ).toEqual({ speed: 2 });
  });
});

describe('results', () => {
  test("are base64 of Python's json.dumps, file types JSON text", () => {
    const fields = resultFields({ output: 'Grüße 🌍 "x"', outputText: 'txt', files: ['NA'] })!;
    expect(Buffer.from(fields.inference_result_json_base64, 'base64').toString()).toBe(
      '"Gr\\u00fc\\u00dfe \\ud83c\\udf0d \\"x\\""',
    );
    expect(fields.inference_result_file_type_strings).toBe('{"output_text": "txt", "output_files": ["NA"]}');
  });
  test('too large an answer is not stored', () => {
    expect(resultFields({ output: 'x'.repeat(33 * 2 ** 20), outputText: 'txt', files: ['NA'] })).toBeUndefined();
  });
  test('an unserved request answers with its error and its credit note', () => {
    const ending = { code: 'deadline_exceeded', message: 'No answer', creditNoteId: 'note-1' } as const;
    const { inference_result_json_base64: json } = unservedFields({ type: 'text_completion', ...ending });
    const picture = unservedFields({ type: 'text_to_image', ...ending }).inference_result_json_base64;
    expect(JSON.parse(Buffer.from(picture, 'base64').toString())).toMatchObject({
      image: '',
      error: { code: 'deadline_exceeded' },
    });
    expect(JSON.parse(Buffer.from(json, 'base64').toString())).toEqual({
      error: { code: 'deadline_exceeded', message: 'No answer', credit_note_id: 'note-1' },
    });
  });
});

describe('usage', () => {
  const work = { inputTokens: 10, outputTokensMax: 100, completions: 2 };
  test('a sane report is believed', () => {
    expect(soundUsage({ inputTokens: 24, outputTokens: 200 }, work)).toEqual({
      inputTokens: 24,
      outputTokens: 200,
      source: 'reported',
    });
  });
  test.each([
    undefined,
    {},
    { inputTokens: -1, outputTokens: 1 },
    { inputTokens: 1, outputTokens: 201 },
    { inputTokens: '1', outputTokens: 1 },
    { inputTokens: 0.5, outputTokens: 1 },
    { inputTokens: 1e300, outputTokens: 1 },
  ])('nonsense is replaced by the estimate: %p', (report) => {
    expect(soundUsage(report as never, work)).toEqual({ inputTokens: 20, outputTokens: 200, source: 'estimated' });
  });
});

test('.env.example names every setting', () => {
  expect(readFileSync('.env.example', 'utf8')).toBe(envExample(providers));
});

test('no file but its own names a provider', () => {
  const vendors = /sandbox|open-?ai|ollama|anthropic|claude|mistral|groq|deepseek|openrouter|stability|llama/i;
  const files = readdirSync('libs/inference/src', { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.startsWith('providers/') && !/\.spec(-suite)?\.ts$/.test(name),
  );
  expect(files.length).toBeGreaterThan(30);
  expect(files.filter((name) => vendors.test(readFileSync(`libs/inference/src/${name}`, 'utf8')))).toEqual([]);
});
