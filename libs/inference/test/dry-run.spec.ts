import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SupernodeClient } from '#client';
import { pooledChecking } from '#protocol';
import { send, startHttpApp, type TestHttpApp } from '../../../test/support/http-app.js';
import { testDatabases } from '../../../test/support/databases.js';
import { DryRunController } from '../src/quote/dry-run.controller.js';
import { DryRunService } from '../src/quote/dry-run.service.js';
import { base64, useWorld, type World } from './inference-world.spec-suite.js';

describe('what a request would cost', () => {
  const here = useWorld(testDatabases()[0]!);
  let world: World;
  let http: TestHttpApp;
  const open = (settings = {}) =>
    startHttpApp({
      controllers: [DryRunController],
      providers: [{ provide: DryRunService, useValue: new DryRunService(world.pricing) }],
      settings,
    });
  beforeEach(async () => {
    world = here.world;
    http = await open();
  });
  afterEach(() => http.close());
  const ask = (body: object) => send('POST', `${http.url}/quote`, body);

  test('is told line by line, is what a request is quoted, and leaves nothing behind', async () => {
    const answer = await ask({
      model: 'sandbox-echo',
      input: 'Hello there',
      parameters: { number_of_tokens_to_generate: '849' },
    });
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      model: 'sandbox-echo',
      inference_type: 'text_completion',
      cost_in_credits: 1,
      amount_in_patoshis: 10,
      currency: 'USD',
      items: [
        { what: 'input tokens', quantity: 4, price: '0.0000025', amount: '0.00001' },
        { what: 'output tokens at most', quantity: 849, price: '0.00001', amount: '0.00849' },
      ],
      total: '0.0085',
      credits_per_unit: '117.647058823529',
      credits_before_rounding: '1',
      minimum_in_credits: 0.5,
      parameters: expect.objectContaining({ number_of_tokens_to_generate: 849, temperature: 0.7 }),
      fallback_models: [],
    });
    expect(await world.balance()).toMatchObject({ heldTenths: 0 });
    const { response } = await world.with({ number_of_tokens_to_generate: 849 });
    expect(response.request_confirmation_message_amount_in_patoshis).toBe(10);
    const encoded = { parameters_json_b64: base64('{"number_of_tokens_to_generate": 849}'), input_b64: base64('Hello there') };
    expect((await ask({ model: 'sandbox-echo', inference_type: null, parameters: null, ...encoded })).json()).toEqual(
      answer.json(),
    );
  });

  test('can be asked for by the client without a signature', async () => {
    const nobody = { pastelId: '', sign: () => Promise.reject(new Error('nothing to sign')) };
    const client = new SupernodeClient({ url: http.url, signing: nobody, checking: pooledChecking, timeoutMs: 5000 });
    const price = await client.priceOf({ model: 'sandbox-echo', inference_type: 'embedding', input: 'x', parameters: {} });
    expect(price).toMatchObject({ inference_type: 'embedding', total: '0.0000025', parameters: {} });
    await expect(client.priceOf({ model: 'no-such-model' })).rejects.toThrow(/refused \/quote \(400\)/);
  });

  test.each([
    [{ model: 'no-such-model', input: 'x' }, 400, /does not offer the model 'no-such-model'/],
    [{ model: 'sandbox-echo', inference_type: 'text_to_image', input: 'x' }, 400, /does not do/],
    [{ model: 'sandbox-echo' }, 400, /no prompt/],
    [{ model: 'sandbox-echo', input: 'x', input_b64: base64('x') }, 400, /input is given twice/],
    [{ model: 'sandbox-echo', input: 'x', parameters: { prompt_cache_hit_tokens: 1 } }, 400, /prompt_cache_hit_tokens/],
    [{ model: 'sandbox-echo', input: 'x', parameters: { number_of_tokens_to_generate: 2e7 } }, 400, /may cost 10000 at most/],
    [{ model: 'sandbox-echo', input: 'x', parameters: [] }, 422, /parameters/],
    [{ input: 'x' }, 422, /model/],
  ])('of %j is refused: %i', async (body, status, text) => {
    const answer = await ask(body);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(text);
  });

  test('may be asked for so often by one address', async () => {
    await http.close();
    http = await open({ dryRunsPerMinutePerIp: 2, limitLoopback: true });
    const question = { model: 'sandbox-echo', input: 'x' };
    const answers = [await ask(question), await ask(question), await ask(question)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(Number(answers[2]!.headers['retry-after'])).toBeGreaterThan(0);
  });
});
