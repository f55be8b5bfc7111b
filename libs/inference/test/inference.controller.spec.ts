import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  faultsOf,
  InferenceAPIUsageResponse,
  pooledChecking,
  readJson,
  received,
  toJson,
  type JsonObject,
  type Signing,
} from '#protocol';
import { testDatabases } from '../../../test/support/databases.js';
import { provenBy, send, startHttpApp, type TestHttpApp } from '../../../test/support/http-app.js';
import { CreditNotesController } from '../src/credit-notes/credit-notes.controller.js';
import { RedemptionService } from '../src/credit-notes/redemption.service.js';
import { ConfirmationService } from '../src/payment/confirmation.service.js';
import { base64, stranger, txid, user, useWorld, type World } from './inference-world.spec-suite.js';
import { InferenceController } from '../src/inference.controller.js';
import { ModelCatalog } from '../src/menu/model-catalog.service.js';
import { QuoteService } from '../src/quote/quote.service.js';
import { ResultService } from '../src/results/result.service.js';

const RESPONSE_KEYS = [
  'credit_usage_tracking_psl_address',
  'id',
  'inference_request_id',
  'inference_request_response_message_version_string',
  'inference_request_response_pastel_block_height',
  'inference_request_response_utc_iso_string',
  'inference_response_id',
  'max_block_height_to_include_confirmation_transaction',
  'proposed_cost_of_request_in_inference_credits',
  'remaining_credits_in_pack_after_request_processed',
  'request_confirmation_message_amount_in_patoshis',
  'sha3_256_hash_of_inference_request_response_fields',
  'supernode_pastelid_and_signature_on_inference_request_response_hash',
];
const RESULT_KEYS = [
  'id',
  'inference_request_id',
  'inference_response_id',
  'inference_result_file_type_strings',
  'inference_result_id',
  'inference_result_json_base64',
  'inference_result_message_version_string',
  'inference_result_pastel_block_height',
  'inference_result_utc_iso_string',
  'responding_supernode_pastelid',
  'responding_supernode_signature_on_inference_result_id',
  'sha3_256_hash_of_inference_result_fields',
];

describe('the inference endpoints', () => {
  const here = useWorld(testDatabases()[0]!);
  let world: World;
  let http: TestHttpApp;
  beforeEach(async () => {
    world = here.world;
    http = await startHttpApp({
      controllers: [InferenceController, CreditNotesController],
      providers: [
        { provide: ModelCatalog, useValue: world.catalog },
        { provide: QuoteService, useValue: world.quotes },
        { provide: ConfirmationService, useValue: world.sweeps.confirmations },
        { provide: ResultService, useValue: world.results },
        { provide: RedemptionService, useValue: world.redemptions },
      ],
    });
  });
  afterEach(() => http.close());

  const post = async (path: string, body: object, who = user) =>
    send('POST', `${http.url}/${path}`, { ...body, ...(await provenBy(http.url, who)) });
  /** As the JavaScript clients send it: no `id`, a time stamp with `Z`, every parameter a text. */
  async function make(changes: Parameters<World['request']>[0] = {}) {
    const request = await world.request({
      model_parameters_json_b64: base64(JSON.stringify({ number_of_tokens_to_generate: '849', temperature: '' }, null, 2)),
      inference_request_utc_iso_string: '2026-01-05T12:00:00.123Z',
      ...changes,
    });
    return post('make_inference_api_usage_request', { inference_api_usage_request: toJson(request) });
  }
  const confirm = (requestId: string, burn: string, who: Signing = user) =>
    post(
      'confirm_inference_request',
      {
        inference_confirmation: {
          inference_request_id: requestId,
          requesting_pastelid: who.pastelId,
          confirmation_transaction: { txid: burn },
        },
      },
      who,
    );
  async function retrieve(responseId: string, who: Signing = user) {
    const query = new URLSearchParams({
      inference_response_id: responseId,
      pastelid: who.pastelId,
      ...(await provenBy(http.url, who)),
    });
    return send('POST', `${http.url}/retrieve_inference_output_results?${query.toString()}`, '{}', {
      'content-type': 'application/json',
    });
  }
  async function challenged(path: string, who: Signing = user) {
    return send('GET', `${http.url}/${path}?${new URLSearchParams(await provenBy(http.url, who)).toString()}`);
  }

  test('quote, burn, status, result and audit, in the shapes that closed schemas demand', async () => {
    const made = await make();
    expect(made.status).toBe(200);
    const quote = made.json();
    expect(Object.keys(quote).sort()).toEqual(RESPONSE_KEYS);
    expect(made.text).toContain('"proposed_cost_of_request_in_inference_credits":1,');
    expect(made.text).toContain('"remaining_credits_in_pack_after_request_processed":99,');
    expect(await faultsOf(received(InferenceAPIUsageResponse, readJson(made.text) as JsonObject), pooledChecking)).toEqual([]);

    const status = () => send('GET', `${http.url}/check_status_of_inference_request_results/${quote.inference_response_id}`);
    const before = await status();
    expect([before.status, before.text, before.headers['content-type']]).toEqual([
      200,
      'false',
      expect.stringContaining('application/json'),
    ]);

    const confirmed = await confirm(quote.inference_request_id, world.burn(1, { tenths: 10 }));
    expect([confirmed.status, confirmed.json()]).toEqual([
      200,
      {
        inference_request_id: quote.inference_request_id,
        requesting_pastelid: user.pastelId,
        confirmation_transaction: { txid: txid(1) },
      },
    ]);
    await world.settle();
    expect((await status()).text).toBe('true');

    const result = await retrieve(quote.inference_response_id);
    expect([result.status, Object.keys(result.json()).sort()]).toEqual([200, RESULT_KEYS]);
    expect(Buffer.from(result.json().inference_result_json_base64, 'base64').toString()).toBe('"You said: Hello there"');

    const question = {
      inference_response_id: quote.inference_response_id,
      pastel_id: user.pastelId,
      signature: await user.sign(quote.inference_response_id),
    };
    const audits = await Promise.all(
      ['response', 'result'].map((what) => send('POST', `${http.url}/audit_inference_request_${what}`, question)),
    );
    expect(audits.map((audit) => [audit.status, audit.text])).toEqual([
      [200, made.text],
      [200, result.text],
    ]);
    expect((await challenged(`inference_request_state/${quote.inference_request_id}`)).json()).toMatchObject({
      state: 'COMPLETED',
      cost_in_credits: 1,
    });
  });

  test('the menu lists models with their keys', async () => {
    const menu = (await send('GET', `${http.url}/get_inference_model_menu`)).json();
    expect(menu.models.map(({ model_name }: { model_name: string }) => model_name)).toEqual(['sandbox-echo', 'sandbox-spare']);
    expect(menu.models[0].credit_costs).toEqual({ api_based_pricing: 1 });
  });

  test('what a caller gets wrong is named, with a status that fits', async () => {
    const made = (await make()).json();
    const id = made.inference_response_id as string;
    const signature = await user.sign(id);
    const audit = (body: object) => send('POST', `${http.url}/audit_inference_request_response`, body);
    const answers = [
      await make({ requested_model_canonical_string: 'no-such-model' }),
      await make({ model_input_data_json_b64: '!' }),
      await make({ inference_request_pastel_block_height: 1 }),
      await post('make_inference_api_usage_request', {}),
      await confirm(world.entropy.uuid(), txid(9)),
      await confirm(made.inference_request_id, 'no txid'),
      await confirm(made.inference_request_id, txid(9), stranger),
      await retrieve(id),
      await retrieve(id, stranger),
      await send(
        'POST',
        `${http.url}/retrieve_inference_output_results?inference_response_id=${id}&pastelid=${user.pastelId}`,
        '{}',
      ),
      await audit({ inference_response_id: id, pastel_id: user.pastelId, signature: await stranger.sign(id) }),
      await audit({ inference_response_id: id, pastel_id: stranger.pastelId, signature: await stranger.sign(id) }),
      await audit({ inference_response_id: id, pastel_id: user.pastelId }),
      await audit({ inference_response_id: 5, pastel_id: user.pastelId, signature }),
      await send('POST', `${http.url}/audit_inference_request_result`, {
        inference_response_id: id,
        pastel_id: user.pastelId,
        signature,
      }),
      await challenged(`inference_request_state/${made.inference_request_id}`, stranger),
      await send('GET', `${http.url}/credit_notes`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([
      400, 422, 400, 422, 404, 422, 403, 404, 403, 422, 401, 403, 422, 422, 404, 403, 422,
    ]);
    for (const answer of answers) expect(answer.json()).toHaveProperty('detail');
  });

  test('ids that are none are not known, whatever they hold', async () => {
    const odd = ['%00', '%27%3B--', 'x'.repeat(5000)];
    for (const id of odd) {
      expect((await send('GET', `${http.url}/check_status_of_inference_request_results/${id}`)).text).toBe('false');
      expect((await challenged(`inference_request_state/${id}`)).status).toBe(404);
    }
    expect([(await retrieve('\0')).status, (await make({ status: 'x'.repeat(101) })).status]).toEqual([404, 400]);
  });

  test('a request whose hash or signature is wrong is refused, and a challenge of somebody else too', async () => {
    const request = toJson(await world.request());
    const tampered = await post('make_inference_api_usage_request', {
      inference_api_usage_request: { ...request, status: 'confirmed' },
    });
    expect([tampered.status, JSON.stringify(tampered.json())]).toEqual([422, expect.stringContaining('hash')]);
    expect((await post('make_inference_api_usage_request', { inference_api_usage_request: request }, stranger)).status).toBe(401);
    expect((await world.balance()).heldTenths).toBe(0);
  });

  test('credit notes are shown to their owner, who pays with them', async () => {
    const made = (await make()).json();
    const refused = await confirm(made.inference_request_id, world.burn(1, { tenths: 11 }));
    expect(refused.status).toBe(409);
    const { credit_notes: notes, balances } = (await challenged('credit_notes')).json();
    expect(notes).toEqual([expect.objectContaining({ credits_owed: 1.1, burn_txid: txid(1) })]);
    expect((await challenged('credit_notes', stranger)).json()).toEqual({ credit_notes: [], balances: [] });
    const { credit_note_id } = notes[0];
    expect(balances).toEqual([{ credit_note_id, credits_open: 1.1, credits_held: 0, credits_redeemed: 0 }]);

    const parameters = { number_of_tokens_to_generate: '849', credit_note_id };
    const quoted = (await make({ model_parameters_json_b64: base64(JSON.stringify(parameters)) })).json();
    expect(quoted.request_confirmation_message_amount_in_patoshis).toBe(0);
    const { inference_request_id } = quoted;
    expect((await post('redeem_credit_note', { inference_request_id }, stranger)).status).toBe(403);
    const redeemed = await post('redeem_credit_note', { inference_request_id });
    expect([redeemed.status, redeemed.json()]).toEqual([200, { inference_request_id, credit_note_id }]);
    await world.settle();
    expect((await challenged('credit_notes')).json().balances).toEqual([
      { credit_note_id, credits_open: 0.1, credits_held: 0, credits_redeemed: 1 },
    ]);
  });
});
