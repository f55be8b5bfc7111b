import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { JsClient, type JsPack } from '../support/js-client.js';
import type { Wire } from '../support/js-client-schemas.js';
import { newIdentity, provenBy, send, type Reply } from '../support/http-app.js';
import { TestNetwork } from '../support/network.js';

const PRICE = 0.0005;
const MINUTES = 60_000;
let network: TestNetwork;
let js: JsClient;
let pack: JsPack;
let url: string;

beforeAll(async () => {
  network = await TestNetwork.start({ environment: { OPEN_OFFERS_PER_PASTELID_MAX: '1000' } });
  js = await JsClient.create(network, PRICE);
  pack = await network.until(js.buy(1500));
  url = pack.supernode.url;
  // What the purchase left to do is done, so that nothing moves by itself from here on.
  network.mine(3);
  await network.sweep();
  await network.sweep();
}, 60_000);
afterAll(() => network.close());
beforeEach(async () => {
  before = await state();
});

/** Rows of this supernode but for challenges and kept rejections; every wallet; what waits to be mined. */
async function state() {
  const node = network.supernodes.find((candidate) => candidate.url === url)!;
  const { entityMetadatas, manager } = node.app.get(DataSource);
  const leftOut = ['challenge', 'credit_pack_purchase', 'credit_pack_purchase_rejection'];
  const tables = entityMetadatas.filter(({ tableName }) => !leftOut.includes(tableName));
  const rows = await Promise.all(tables.map(async ({ target, tableName }) => [tableName, await manager.count(target)] as const));
  const wallets = network.devnet.supernodes.map(({ user }) => network.devnet.account(user).wallet.balance());
  const balance = await js.rpc('getbalance');
  return { rows: Object.fromEntries(rows), wallets, balance, waiting: network.devnet.state.mempool.size };
}
let before: Awaited<ReturnType<typeof state>>;

const at = (ms: number, zone: 'Z' | '+00:00' = '+00:00'): string =>
  new Date(network.clock.now().getTime() + ms).toISOString().replace('Z', zone);
const flipped = (text: unknown): string => (text as string).replace(/^./, (first) => (first === 'a' ? 'b' : 'a'));
const post = async (path: string, key: string, message: Wire): Promise<Reply> =>
  send('POST', `${url}/${path}`, { [key]: message, ...(await js.challenge(url)) });

async function expectRefused(reply: Reply, status: number, ...words: string[]): Promise<void> {
  expect([reply.status, reply.json()]).toEqual([status, { detail: expect.anything() }]);
  for (const word of words) expect(reply.text).toContain(word);
  expect(await state()).toEqual(before);
}

describe('a purchase request', () => {
  const HASH = 'sha3_256_hash_of_credit_pack_purchase_request_fields';
  const SIGNATURE = 'requesting_end_user_pastelid_signature_on_request_hash';
  const request = async (changes: Wire = {}): Promise<Wire> =>
    js.request(1500, (await js.rpc('getnewaddress')) as string, changes);
  const ask = (message: Wire): Promise<Reply> => post('credit_purchase_initial_request', 'credit_pack_request', message);

  /** Well-formed, so that its refusal is a signed message. */
  async function expectRejected(message: Wire, ...words: string[]): Promise<void> {
    const reply = await ask(message);
    const { rejection_reason_string: reason } = reply.json() as { rejection_reason_string: string };
    expect([reply.status, typeof reason]).toEqual([200, 'string']);
    for (const word of words) expect(reason).toContain(word);
    expect(await state()).toEqual(before);
  }

  test('with a wrong hash, a wrong signature, another signer', async () => {
    const good = await request();
    await expectRejected({ ...good, [HASH]: flipped(good[HASH]) }, HASH);
    await expectRejected({ ...good, requested_initial_credits_in_credit_pack: 1501 }, HASH);
    await expectRejected({ ...good, [SIGNATURE]: flipped(good[SIGNATURE]) }, SIGNATURE);
    await expectRejected({ ...good, [SIGNATURE]: await js.sign('another text') }, SIGNATURE);
    const stranger = newIdentity();
    await expectRejected({ ...good, [SIGNATURE]: await stranger.sign(good[HASH] as string) }, SIGNATURE);
  });

  test('of another PastelID than the challenge, or of none', async () => {
    const stranger = newIdentity();
    const others = await request({ requesting_end_user_pastelid: stranger.pastelId });
    await expectRefused(await ask(others), 401, 'PastelID');
    await expectRefused(await ask(await request({ requesting_end_user_pastelid: 'jX' })), 422, 'requesting_end_user_pastelid');
  });

  test('from another time, or another height', async () => {
    for (const ms of [-15 * MINUTES, 15 * MINUTES]) {
      await expectRejected(await request({ request_timestamp_utc_iso_string: at(ms) }), 'request_timestamp_utc_iso_string');
    }
    const height = await js.height();
    for (const far of [height - 2, height + 2, 0, Number.MAX_SAFE_INTEGER]) {
      await expectRejected(await request({ request_pastel_block_height: far }), 'request_pastel_block_height');
    }
    for (const none of ['yesterday', '2026-02-31T25:00:00Z', '2026-01-05', '']) {
      const reply = await ask(await request({ request_timestamp_utc_iso_string: none }));
      await expectRefused(reply, 422, 'request_timestamp_utc_iso_string');
    }
  });

  test('for no number of credits, no address, no list', async () => {
    for (const credits of [0, -1, 1.5, 1e15, 1e300]) {
      await expectRejected(await request({ requested_initial_credits_in_credit_pack: credits }), 'credits');
    }
    const burnAddress = '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7';
    for (const address of [`${burnAddress.slice(0, -1)}8`, 'PtpasteLBurnAddressXXXXXXXXXXbJ5ndd']) {
      const reply = await ask(await js.request(1500, address));
      expect(reply.status).toBe(200);
      expect(reply.json()).toHaveProperty('rejection_reason_string');
    }
    for (const list of ['[', '{}', '"x"', '["jX"]', '[1]', JSON.stringify(Array(5000).fill(js.pastelId))]) {
      const reply = await ask(await request({ list_of_authorized_pastelids_allowed_to_use_credit_pack: list }));
      expect(reply.status).toBeLessThan(500);
      expect(reply.text).toMatch(/rejection_reason_string|detail/);
    }
    expect(await state()).toEqual(before);
  });
});

describe('the answer to a quote, and a confirmation', () => {
  const KEY = 'preliminary_price_quote_response';
  const answer = (message: Wire): Promise<Reply> => post('credit_purchase_preliminary_price_quote_response', KEY, message);

  test('with a wrong hash, signature, time, height, price, or about nothing', async () => {
    const quote = await js.quote(pack.supernode, await js.request(1500, (await js.rpc('getnewaddress')) as string));
    const good = await js.answerTo(quote, 1);
    const hash = 'sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_response_fields';
    const signature = 'requesting_end_user_pastelid_signature_on_preliminary_price_quote_response_hash';
    await expectRefused(await answer({ ...good, [hash]: flipped(good[hash]) }), 422, hash);
    await expectRefused(await answer({ ...good, [signature]: flipped(good[signature]) }), 422, signature);
    const stamp = 'preliminary_price_quote_response_timestamp_utc_iso_string';
    await expectRefused(await answer(await js.answerTo(quote, 1, { [stamp]: at(-15 * MINUTES) })), 400, stamp);
    const height = 'preliminary_price_quote_response_pastel_block_height';
    await expectRefused(await answer(await js.answerTo(quote, 1, { [height]: (await js.height()) + 3 })), 400, height);
    const price = 'preliminary_quoted_price_per_credit_in_psl';
    await expectRefused(await answer(await js.answerTo(quote, 1, { [price]: 0.1 })), 400, 'price');
    const base64 = 'credit_pack_purchase_request_fields_json_b64';
    await expectRefused(await answer(await js.answerTo(quote, 1, { [base64]: '!' })), 422, base64);
    await expectRefused(await answer(await js.answerTo(quote, 1, { [base64]: 'e30=' })), 400);
    const quoteHash = 'sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields';
    const unknown = await answer(await js.answerTo(quote, 1, { [quoteHash]: '5e'.repeat(32) }));
    expect([400, 404]).toContain(unknown.status);
    await expectRefused(unknown, unknown.status);
  });
});

describe('an inference request', () => {
  const KEY = 'inference_api_usage_request';
  const HASH = 'sha3_256_hash_of_inference_request_fields';
  const SIGNATURE = 'requesting_pastelid_signature_on_request_hash';
  const ask = (message: Wire): Promise<Reply> => post('make_inference_api_usage_request', KEY, message);
  const request = (changes: Wire = {}, parameters: Wire = {}): Promise<Wire> =>
    js.usageRequest(pack.txid, { prompt: 'hello' }, parameters, changes);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  test('with a wrong hash, a wrong signature, of another PastelID', async () => {
    const good = await request();
    await expectRefused(await ask({ ...good, [HASH]: flipped(good[HASH]) }), 422, HASH);
    await expectRefused(await ask({ ...good, [SIGNATURE]: flipped(good[SIGNATURE]) }), 422, SIGNATURE);
    const stranger = newIdentity();
    await expectRefused(await ask({ ...good, requesting_pastelid: stranger.pastelId }), 401, 'PastelID');
    const own = await request({ requesting_pastelid: stranger.pastelId });
    const sealed = { ...own, [SIGNATURE]: await stranger.sign(own[HASH] as string) };
    const body = { [KEY]: sealed, ...(await provenBy(url, stranger)) };
    await expectRefused(await send('POST', `${url}/make_inference_api_usage_request`, body), 403);
  });

  test('from another time or height, of another version', async () => {
    const height = await js.height();
    const field = 'inference_request_pastel_block_height';
    await expectRefused(await ask(await request({ [field]: height - 3 })), 400, field);
    await expectRefused(await ask(await request({ [field]: height + 3 })), 400, field);
    await expectRefused(
      await ask(await request({ inference_request_utc_iso_string: 'now' })),
      422,
      'inference_request_utc_iso_string',
    );
    const version = 'inference_request_message_version_string';
    await expectRefused(await ask(await request({ [version]: '2.0' })), 422, version);
  });

  test('for an unknown model, type, parameter, pack', async () => {
    await expectRefused(await ask(await request({ requested_model_canonical_string: 'no-such-model' })), 400, 'no-such-model');
    await expectRefused(await ask(await request({ requested_model_canonical_string: '__proto__' })), 400, 'model');
    await expectRefused(await ask(await request({ model_inference_type_string: 'constructor' })), 400, 'constructor');
    await expectRefused(await ask(await request({}, { no_such_parameter: '1' })), 400, 'no_such_parameter');
    await expectRefused(
      await ask(await request({}, { number_of_tokens_to_generate: 'many' })),
      400,
      'number_of_tokens_to_generate',
    );
    await expectRefused(await ask(await request({}, { number_of_tokens_to_generate: [1] })), 400, 'number_of_tokens_to_generate');
    await expectRefused(
      await ask(await request({}, { number_of_tokens_to_generate: '9'.repeat(400) })),
      400,
      'number_of_tokens_to_generate',
    );
    await expectRefused(await ask(await request({ credit_pack_ticket_pastel_txid: '5e'.repeat(32) })), 400, 'credit pack');
  });

  test('with base64 that is none, and base64 of what is no JSON', async () => {
    for (const field of ['model_parameters_json_b64', 'model_input_data_json_b64']) {
      for (const none of ['!!!!', 'abc', 'e30', 'e30=\n', 'e3_-', 'e30=e30=']) {
        await expectRefused(await ask(await request({ [field]: none })), 422, field);
      }
    }
    for (const text of ['{', '[]', '"x"', 'null', '1', '{"a":1,"a":2}', '['.repeat(50_000)]) {
      await expectRefused(await ask(await request({ model_parameters_json_b64: base64(text) })), 400, 'model_parameters_json');
    }
    const latin1 = Buffer.from([0x22, 0xe9, 0x22]).toString('base64');
    await expectRefused(await ask(await request({ model_input_data_json_b64: latin1 })), 400, 'model_input_data_json_b64');
  });

  test('twice with one id and other words', async () => {
    const good = await request();
    expect((await ask(good)).status).toBe(200);
    before = await state();
    const other = await request({
      inference_request_id: good['inference_request_id'],
      inference_request_utc_iso_string: at(5, 'Z'),
    });
    await expectRefused(await ask(other), 409);
  });
});

describe('a confirmation of an inference', () => {
  const confirm = (message: Wire): Promise<Reply> => post('confirm_inference_request', 'inference_confirmation', message);

  test('for a request that nobody made, with no txid, with a txid of nothing', async () => {
    const request = await js.usageRequest(pack.txid, { prompt: 'hello' }, {});
    await js.quoteUsage(pack.supernode, request);
    before = await state();
    const good = {
      inference_request_id: request['inference_request_id'],
      requesting_pastelid: js.pastelId,
      confirmation_transaction: { txid: '5e'.repeat(32) },
    };
    await expectRefused(await confirm({ ...good, inference_request_id: crypto.randomUUID() }), 404);
    await expectRefused(await confirm({ ...good, inference_request_id: 'x' }), 422, 'inference_request_id');
    for (const transaction of ['5e'.repeat(32), {}, { txid: 5 }, { txid: 'x' }, [], null]) {
      await expectRefused(await confirm({ ...good, confirmation_transaction: transaction }), 422, 'confirmation_transaction');
    }
    const stranger = newIdentity();
    const body = { inference_confirmation: good, ...(await provenBy(url, stranger)) };
    await expectRefused(await send('POST', `${url}/confirm_inference_request`, body), 403);
  });
});
