import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import axios from 'axios';
import { SystemEntropy } from '#config';
import { Devnet } from '#devnet';
import { isJsonObject, pooledChecking, PythonNumber, type JsonObject } from '#protocol';
import { placesFor } from '../../apps/devnet/src/addresses.js';
import { JsClient, jsHash, jsRpc, jsStringify, type JsPack, type JsSupernode } from '../support/js-client.js';
import { closed, isUuid4, schemas, type Wire } from '../support/js-client-schemas.js';
import { ManualClock } from '../support/manual-clock.js';
import { TestNetwork } from '../support/network.js';
import { PythonClient } from '../support/python-client.js';

/** 0.01 USD a credit with a margin of 15 % comes to a whole price, 24.0 PSL: what prints differently in the two clients. */
const MARKET_PRICE = 0.00049;
const PRICE = 24;

let network: TestNetwork;
let js: JsClient;
let python: PythonClient;

/** Done by the first test that needs it. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined;
  return () => (kept ??= work());
}
const bought = once<JsPack>(() => network.until(js.buy(1500)));
const served = once(async () => {
  const { supernode, txid } = await bought();
  return network.until(
    js.infer(supernode, txid, { prompt: 'hello there' }, { number_of_tokens_to_generate: '64', temperature: '0.7' }),
  );
});

beforeAll(async () => {
  network = await TestNetwork.start({ ownHosts: true, environment: { FIXED_PSL_PRICE_IN_USD: String(MARKET_PRICE) } });
  js = await JsClient.create(network, MARKET_PRICE);
  python = new PythonClient(network, await network.newSigning());
}, 60_000);
afterAll(() => network.close());

const supernode = async (): Promise<JsSupernode> => (await js.supernodes())[0]!;
const trackingAddress = (): Promise<string> => js.rpc('getnewaddress') as Promise<string>;
const balanceInPsl = async (): Promise<number> => (await js.rpc('getbalance')) as number;

describe('the stand-in for the Node client', () => {
  const { cases, raw_stringify: raw } = JSON.parse(readFileSync('test/vectors/js-client-hashes.json', 'utf8')) as {
    cases: { name: string; message: Wire; js_sha3_256: string }[];
    raw_stringify: { input: Wire; js_pythonCompatibleStringify: string }[];
  };
  const isFlat = (message: Wire): boolean => Object.values(message).every((value) => typeof value !== 'object');

  test.each(cases.filter(({ message }) => isFlat(message)))('hashes $name as the client does', ({ message, js_sha3_256 }) => {
    expect(jsHash(message)).toBe(js_sha3_256);
  });
  test.each(raw.filter(({ input }) => isFlat(input) && !('challenge' in input)))('prints case %# as it does', (vector) => {
    expect(jsStringify(vector.input)).toBe(vector.js_pythonCompatibleStringify);
  });
  test('refuses what its schemas refuse', () => {
    const { supernode: _supernode, ...rest } = { supernode: 1, status: 'completed' };
    expect(() => closed('status', rest, schemas.status)).toThrow(/is refused/);
    expect(() => closed('status', { ...rest, extra: 1 }, schemas.status)).toThrow('"extra" is not allowed');
    expect(isUuid4('6ba7b810-9dad-11d1-80b4-00c04fd430c8')).toBe(false);
  });
});

test('13.1 POST answers 200, GET / answers 2xx, the performance ratio is there from the start', async () => {
  const fresh = await js.get((await supernode()).url, 'liveness_ping');
  expect((fresh as { performance_ratio_score: number }).performance_ratio_score).toBeGreaterThanOrEqual(0.75);
  await served();
  const posts = js.calls.filter(({ method }) => method === 'POST');
  expect([...new Set(posts.map(({ path }) => path))].sort()).toEqual([
    'check_status_of_credit_purchase_request',
    'confirm_credit_purchase_request',
    'confirm_inference_request',
    'credit_purchase_initial_request',
    'credit_purchase_preliminary_price_quote_response',
    'make_inference_api_usage_request',
    'retrieve_inference_output_results',
  ]);
  expect(posts.filter(({ status }) => status !== 200)).toEqual([]);
  expect(js.calls.filter(({ path }) => path === '').every(({ status }) => status === 200)).toBe(true);
}, 60_000);

test('13.2 the strict replies have no extra key and no null, and their ids are UUIDs of version 4', async () => {
  // Response, confirmation response, status, inference response and result: the client's own schemas have taken them.
  const { txid, supernode: seller } = await bought();
  expect(txid).toMatch(/^[0-9a-f]{64}$/);
  await served();
  const rejection = await js.quote(seller, await js.request(5_000_000, await trackingAddress()));
  expect(rejection['rejection_reason_string']).toEqual(expect.stringContaining('credits'));
  expect(await terminated()).toEqual(expect.stringContaining('Not enough supernodes'));
  expect(js.calls.filter(({ reply }) => /:\s*null/.test(reply) && !reply.includes('models'))).toEqual([]);
}, 60_000);

/** What the client reads where a supernode finds no peers; a network of its own, so that the others keep theirs. */
async function terminated(): Promise<unknown> {
  const lonely = await TestNetwork.start({ supernodes: 3, environment: { FIXED_PSL_PRICE_IN_USD: String(MARKET_PRICE) } });
  try {
    const client = await JsClient.create(lonely, MARKET_PRICE);
    const [seller, ...peers] = await client.supernodes();
    for (const { pastelId } of peers) await lonely.stopSupernode(lonely.supernodes.find((node) => node.pastelId === pastelId)!);
    const quote = await client.quote(seller!, await client.request(1500, (await client.rpc('getnewaddress')) as string));
    expect('rejection_reason_string' in quote).toBe(false);
    const termination = await lonely.until(client.answerTo(quote, 1).then((answer) => client.answerQuote(seller!, answer)));
    return termination['termination_reason_string'];
  } finally {
    await lonely.close();
  }
}

test('13.3 the agreement as 1 or true; requests with an id and without; Z and +00:00 with 3 or 6 digits', async () => {
  const seller = await supernode();
  const js = await JsClient.create(network, MARKET_PRICE);
  const instant = network.clock.now().toISOString().slice(0, -1);
  for (const stamp of [`${instant}Z`, `${instant}+00:00`, `${instant}104Z`, `${instant}104+00:00`]) {
    const request = await js.request(1500, await trackingAddress(), { request_timestamp_utc_iso_string: stamp });
    const { id: _id, ...withoutId } = request;
    expect(closed('quote', await js.quote(seller, withoutId), schemas.quote)).toBeDefined();
    expect(closed('quote', await js.quote(seller, request), schemas.quote)).toBeDefined();
  }
  const accepted = async (agree: unknown): Promise<Wire> => {
    const quote = await js.quote(seller, await js.request(1500, await trackingAddress()));
    // Booleans hash as numbers, so that the seal fits either.
    const answer = await js.answerTo(quote, agree ? 1 : 0);
    return js.answerQuote(seller, { ...answer, agree_with_preliminary_price_quote: agree });
  };
  expect(await accepted(1)).toHaveProperty('proposed_total_cost_of_credit_pack_in_psl');
  expect(await accepted(true)).toHaveProperty('proposed_total_cost_of_credit_pack_in_psl');
  // A no ends the purchase; the client reads no more of the answer than its status.
  await expect(accepted(0)).rejects.toThrow('status code 400: {"detail":"End user does not agree');
  await expect(accepted(false)).rejects.toThrow('status code 400: {"detail":"End user does not agree');
  const { id: _id, ...withoutId } = await python.request(PythonNumber.read('1500'), await trackingAddress());
  const path = ['credit_purchase_initial_request', 'credit_pack_request'] as const;
  expect(await python.exchange(seller.url, ...path, withoutId)).toHaveProperty('preliminary_quoted_price_per_credit_in_psl');
}, 60_000);

test('13.4 a whole price is verified as 24 and as 24.0', async () => {
  const seller = await supernode();
  const quote = await js.quote(seller, await js.request(1500, await trackingAddress()));
  const answer = await js.answerTo(quote, 1);
  expect(JSON.stringify(answer)).toContain(`"preliminary_quoted_price_per_credit_in_psl":${PRICE},`);
  expect(await js.answerQuote(seller, answer)).toMatchObject({ psl_cost_per_credit: PRICE });

  const pythonQuote = await pythonQuoted(seller);
  const pythonAnswer = await python.answerTo(pythonQuote, true);
  expect(pythonAnswer['preliminary_quoted_price_per_credit_in_psl']).toMatchObject({ text: `${PRICE}.0` });
  const offer = await pythonAnswered(seller, pythonAnswer);
  expect(offer).toMatchObject({ psl_cost_per_credit: { text: `${PRICE}.0` } });

  // Some library printed the whole float short after it was hashed.
  const shortened = await python.answerTo(await pythonQuoted(seller), true);
  const short = { ...shortened, preliminary_quoted_price_per_credit_in_psl: PRICE };
  expect(await pythonAnswered(seller, short)).toMatchObject({ psl_cost_per_credit: { text: `${PRICE}.0` } });
}, 60_000);

const pythonQuoted = async ({ url }: JsSupernode): Promise<JsonObject> =>
  python.exchange(
    url,
    'credit_purchase_initial_request',
    'credit_pack_request',
    await python.request(PythonNumber.float(1500), await trackingAddress()),
  );
const pythonAnswered = ({ url }: JsSupernode, answer: object): Promise<JsonObject> =>
  python.exchange(url, 'credit_purchase_preliminary_price_quote_response', 'preliminary_price_quote_response', answer);

test('13.5 balance and the two burn lookups know the caller by the challenge', async () => {
  const { txid, burnTxid, supernode: seller } = await bought();
  const balance = await js.challenged(seller.url, 'check_credit_pack_balance', { credit_pack_ticket_txid: txid });
  expect(balance).toEqual({
    current_credit_balance: expect.any(Number),
    number_of_confirmation_transactions: expect.any(Number),
  });
  const burn = { purchase_burn_txid: burnTxid };
  expect(await js.challenged(seller.url, 'retrieve_credit_pack_ticket_from_purchase_burn_txid', burn)).toEqual({
    credit_pack_purchase_request: expect.any(Object),
    credit_pack_purchase_request_response: expect.any(Object),
    credit_pack_purchase_request_confirmation: expect.any(Object),
  });
  expect(await js.challenged(seller.url, 'get_final_credit_pack_registration_txid_from_credit_purchase_burn_txid', burn)).toEqual(
    {
      final_credit_pack_registration_txid: txid,
    },
  );
  const packs = (await js.challenged(seller.url, 'get_valid_credit_pack_tickets_for_pastelid', {
    pastelid: js.pastelId,
  })) as Wire[];
  expect(packs).toEqual([
    expect.objectContaining({
      credit_pack_registration_txid: txid,
      credit_purchase_request_confirmation_pastel_block_height: expect.any(Number),
      requesting_end_user_pastelid: js.pastelId,
      ticket_input_data_fully_parsed_sha3_256_hash: expect.any(String),
      txid_of_credit_purchase_burn_transaction: burnTxid,
      credit_usage_tracking_psl_address: expect.any(String),
      psl_cost_per_credit: PRICE,
      requested_initial_credits_in_credit_pack: 1500,
      credit_pack_current_credit_balance: expect.any(Number),
      balance_as_of_datetime: expect.any(String),
      number_of_confirmation_transactions: expect.any(Number),
    }),
  ]);
  const query = new URLSearchParams({ txid, pastelid: js.pastelId, ...(await js.challenge(seller.url)) });
  expect(await js.get(seller.url, `get_credit_pack_ticket_from_txid?${query.toString()}`)).toEqual({
    credit_pack_purchase_request_response: expect.any(Object),
    credit_pack_purchase_request_confirmation: expect.any(Object),
  });
  const stranger = new PythonClient(network, await network.newSigning());
  const refused = await stranger.post(seller.url, 'check_credit_pack_balance', {
    credit_pack_ticket_txid: txid,
    ...(await stranger.challenge(seller.url)),
  });
  expect(refused.status).toBe(403);
}, 60_000);

test('13.6 confirm answers when the ticket is on the chain, and the status is completed right then', async () => {
  const seller = await supernode();
  const request = await js.request(1500, await js.fundedTrackingAddress(1500));
  const response = await js.answerQuote(seller, await js.answerTo(await js.quote(seller, request), 1));
  const confirming = js.confirm(seller, response, await js.burn(response));
  const calls = js.calls.length;
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    network.clock.advance(1000);
  }
  expect(js.calls.slice(calls).filter(({ path }) => path === 'confirm_credit_purchase_request')).toEqual([]);
  const { pastel_api_credit_pack_ticket_registration_txid: txid } = await network.until(confirming);
  const { height } = (await js.rpc('tickets', 'get', txid, true)) as { height: number };
  expect(height).toBeGreaterThan(0);
  const status = await js.status(seller, request['sha3_256_hash_of_credit_pack_purchase_request_fields'] as string);
  expect(status).toMatchObject({
    status: 'completed',
    sha3_256_hash_of_credit_pack_purchase_request_response_fields:
      response['sha3_256_hash_of_credit_pack_purchase_request_response_fields'],
  });
}, 60_000);

test('13.7 the status poll says bare true or false, and confirm never null', async () => {
  const { supernode: seller, txid } = await bought();
  const request = await js.usageRequest(txid, { prompt: 'bare' }, {});
  const response = await js.quoteUsage(seller, request);
  const poll = `check_status_of_inference_request_results/${String(response['inference_response_id'])}`;
  await js.get(seller.url, poll);
  expect(js.calls.at(-1)!.reply).toBe('false');
  const burnTxid = await js.payUsage(request, response);
  expect(Object.keys((await js.confirmUsage(seller, request, burnTxid)) as object).length).toBeGreaterThan(0);
  await network.until(js.awaitResult(seller, response));
  await js.get(seller.url, poll);
  expect(js.calls.at(-1)!.reply).toBe('true');
  await js.get(seller.url, 'check_status_of_inference_request_results/00000000-0000-4000-8000-000000000000');
  expect(js.calls.at(-1)!.reply).toBe('false');
}, 60_000);

test('13.8 the reply to send_user_message is a UserMessage with an id of its own at each supernode, its time in Z', async () => {
  const recipient = await JsClient.create(network, MARKET_PRICE);
  const replies = await js.sendUserMessage(recipient.pastelId, 'Hello: "you", {there}');
  expect(replies).toHaveLength(3);
  for (const reply of replies) {
    expect(reply).toMatchObject({
      from_pastelid: js.pastelId,
      to_pastelid: recipient.pastelId,
      message_body: expect.any(String),
      message_signature: expect.stringMatching(/^[A-Za-z0-9+/]{152}$/),
    });
    expect(isUuid4(reply['id'])).toBe(true);
    expect(reply['timestamp']).toMatch(/Z$/);
  }
  expect(new Set(replies.map(({ id }) => id)).size).toBe(3);
  await network.sweep();
  const [closest] = await recipient.supernodes();
  const [message, ...others] = await recipient.userMessages(closest!);
  expect(others).toEqual([]);
  expect(message).toMatchObject({ from_pastelid: js.pastelId, to_pastelid: recipient.pastelId });
  expect(message!['timestamp']).toMatch(/Z$/);
  expect(isUuid4(message!['id'])).toBe(true);
}, 60_000);

test('13.9 the prompt as an object, as JSON text in quotes and as bare text; parameters as text', async () => {
  const { supernode: seller, txid } = await bought();
  const parameters = { number_of_tokens_to_generate: '1000', temperature: '0.7', number_of_completions_to_generate: '1' };
  const byObject = await network.until(js.infer(seller, txid, { prompt: 'one prompt' }, parameters));
  const inQuotes = await network.until(js.infer(seller, txid, 'one prompt', parameters));
  const bare = await js.usageRequest(txid, '', parameters, {
    model_input_data_json_b64: Buffer.from('one prompt').toString('base64'),
  });
  const quoted = await js.quoteUsage(seller, bare);
  await js.confirmUsage(seller, bare, await js.payUsage(bare, quoted));
  await network.until(js.awaitResult(seller, quoted));
  const result = await js.result(seller, quoted);
  const bareText = Buffer.from(result['inference_result_json_base64'] as string, 'base64').toString('utf8');
  expect(JSON.parse(byObject.text)).toBe('You said: one prompt');
  expect([inQuotes.text, bareText]).toEqual([byObject.text, byObject.text]);
}, 60_000);

test('13.10 response and result are announced: each of the four others can be audited at once and 20 s on', async () => {
  const { response, result } = await served();
  const { supernode: server } = await bought();
  const all = await js.supernodes();
  expect(all).toHaveLength(5);
  const { responses, results } = await network.until(js.audit(all, response['inference_response_id'] as string));
  for (const audited of responses) expect(audited).toEqual(response);
  const text = 'inference_result_json_base64';
  // Whoever did not serve it knows the first 32 characters, which are all that the client compares.
  const announced = { ...result, [text]: (result[text] as string).slice(0, 32) };
  expect(results).toEqual(all.map(({ pastelId }) => (pastelId === server.pastelId ? result : announced)));
}, 60_000);

test('13.11 five supernodes, each on a host of its own, all on port 7123', async () => {
  const listed = await js.supernodes();
  const hosts = listed.map(({ url }) => new URL(url));
  expect(new Set(hosts.map(({ hostname }) => hostname)).size).toBe(5);
  expect(new Set(hosts.map(({ port }) => port)).size).toBe(1);
  const menus = await Promise.all(listed.map(({ url }) => js.get(url, 'get_inference_model_menu')));
  for (const menu of menus) expect(JSON.stringify(menu)).toContain('sandbox-echo');
  // What `npm start` uses, unless something else listens there at the moment.
  const places = await placesFor(5).catch((error: unknown) => (error as Error).message);
  const planned = [1, 2, 3, 4, 5].map((n) => ({ ip: `127.0.0.${n}`, port: 7123 }));
  if (typeof places === 'string') expect(places).toContain(':7123');
  else expect(places).toEqual(planned);
});

test('13.12 heights may be a block off; a burn gets its confirmation without the client asking', async () => {
  const seller = await supernode();
  const height = await js.height();
  const client = await JsClient.create(network, MARKET_PRICE);
  const quoted = async (stated: number): Promise<Wire> =>
    client.quote(seller, await client.request(1500, await trackingAddress(), { request_pastel_block_height: stated }));
  for (const near of [height - 1, height, height + 1]) {
    expect(closed('quote', await quoted(near), schemas.quote)).toBeDefined();
  }
  for (const far of [height - 2, height + 2]) {
    expect((await quoted(far))['rejection_reason_string']).toEqual(expect.stringContaining('request_pastel_block_height'));
  }

  const clock = new ManualClock();
  const devnet = await Devnet.create({
    clock,
    entropy: new SystemEntropy(),
    user: { user: 'devnet', password: 'devnet' },
    supernodes: [],
    blocks: { everySeconds: 15, earlySeconds: 5 },
  });
  const rpc = await devnet.listen('127.0.0.1', 0);
  const call = (method: string, ...params: unknown[]) => jsRpc({ rpcPort: rpc.port } as TestNetwork, method, ...params);
  const txid = await call('sendtoaddress', '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7', 1000.12345);
  const confirmations = async () => ((await call('gettransaction', txid)) as { confirmations: number }).confirmations;
  expect(await confirmations()).toBe(0);
  for (let second = 0; second < 15 && (await confirmations()) === 0; second++) clock.advance(1000);
  expect(await confirmations()).toBeGreaterThan(0);
  await devnet.close();
  await rpc.close();
}, 60_000);

describe('13.13 the wallet', () => {
  const burn = '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7';

  test('13.13 sendmany takes six parameters and [""], and prefers coins of the change address', async () => {
    const change = await js.fundedTrackingAddress(100);
    network.mine();
    const txid = await js.rpc('sendmany', '', { [burn]: 0.00012 }, 0, 'tracking', [''], change);
    const { hex } = (await js.rpc('gettransaction', txid)) as { hex: string };
    const { vin, vout } = (await js.rpc('decoderawtransaction', hex)) as {
      vin: { txid: string; vout: number }[];
      vout: { value: number; scriptPubKey: { addresses: string[] } }[];
    };
    const spent = await Promise.all(
      vin.map(async (input) => {
        const raw = await js.rpc('getrawtransaction', input.txid, 0, null);
        const decoded = (await js.rpc('decoderawtransaction', raw)) as { vout: { scriptPubKey: { addresses: string[] } }[] };
        return decoded.vout[input.vout]!.scriptPubKey.addresses;
      }),
    );
    expect(spent).toEqual([[change]]);
    expect(vout.flatMap(({ scriptPubKey }) => scriptPubKey.addresses).sort()).toEqual([burn, change].sort());
    expect(vout.find(({ scriptPubKey }) => scriptPubKey.addresses[0] === burn)!.value).toBe(0.00012);
  });

  test('13.13 sendtoaddress refuses null, with HTTP 500, and no coin moves', async () => {
    const before = await balanceInPsl();
    const { status, data } = await axios.post<{ error: { code: number; message: string } }>(
      `http://127.0.0.1:${network.rpcPort}/`,
      // What becomes of NaN, when the client takes a rejection for the ticket.
      JSON.stringify({
        jsonrpc: '2.0',
        method: 'sendtoaddress',
        params: [burn, NaN, 'Burn transaction for credit pack ticket'],
        id: 1,
      }),
      { auth: { username: 'devnet', password: 'devnet' }, validateStatus: () => true, proxy: false },
    );
    expect(status).toBe(500);
    expect(data.error.message).toEqual(expect.any(String));
    await expect(js.rpc('sendtoaddress', burn, null, '')).rejects.toThrow('status code 500');
    expect(await balanceInPsl()).toBe(before);
  });
});

test('13.14 client and server see the same PSL price', async () => {
  const seller = await supernode();
  const client = await JsClient.create(network, MARKET_PRICE);
  const quote = await client.quote(seller, await client.request(1500, await trackingAddress()));
  expect(quote['preliminary_quoted_price_per_credit_in_psl']).toBe(PRICE);
  expect(client.isFair(quote)).toBe(true);
  // Were the client's market page 6 % off, it would not buy.
  client.marketPrice = MARKET_PRICE * 1.06;
  expect(client.isFair(quote)).toBe(false);
}, 60_000);

test('the Python client buys a pack and runs an inference', async () => {
  const { url } = (await js.supernodes(python.pastelId))[0]!;
  const seller = { url, pastelId: '' };
  const tracking = await js.fundedTrackingAddress(1500);
  const path = ['credit_purchase_initial_request', 'credit_pack_request'] as const;
  const quote = await python.exchange(url, ...path, await python.request(PythonNumber.read('1500'), tracking));
  const offer = await pythonAnswered(seller, await python.answerTo(quote, true));
  const total = (offer['proposed_total_cost_of_credit_pack_in_psl'] as PythonNumber).value;
  const burnTxid = (await js.rpc('sendtoaddress', '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7', total)) as string;
  const confirmation = await python.confirmation(offer, burnTxid);
  const confirmed = await network.until(python.exchange(url, 'confirm_credit_purchase_request', 'confirmation', confirmation));
  const packTxid = confirmed['pastel_api_credit_pack_ticket_registration_txid'] as string;
  expect(packTxid).toMatch(/^[0-9a-f]{64}$/);
  const announced = await python.exchange(url, 'credit_pack_purchase_completion_announcement', 'confirmation', confirmation);
  expect(announced).toEqual({ message: expect.any(String) });

  const request = await python.usageRequest(packTxid, 'a bare prompt', {
    number_of_tokens_to_generate: 1000,
    temperature: PythonNumber.float(0.7),
  });
  const response = await python.exchange(url, 'make_inference_api_usage_request', 'inference_api_usage_request', request);
  await python.checkUsageResponse(response, (signer, text, signature) => pooledChecking.verify(signer, text, signature));
  const amount = Number((response['request_confirmation_message_amount_in_patoshis'] as PythonNumber).text) / 100_000;
  const txid = (await js.rpc(
    'sendmany',
    '',
    { '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7': amount },
    0,
    'tracking',
    [''],
    tracking,
  )) as string;
  await python.exchange(url, 'confirm_inference_request', 'inference_confirmation', {
    inference_request_id: request['inference_request_id'],
    requesting_pastelid: python.pastelId,
    confirmation_transaction: { txid },
  });
  await network.until(js.awaitResult(seller, response));
  const query = new URLSearchParams({
    inference_response_id: response['inference_response_id'] as string,
    pastelid: python.pastelId,
    ...(await python.challenge(url)),
  });
  const { status, wire } = await python.post(url, `retrieve_inference_output_results?${query.toString()}`, {});
  expect(status).toBe(200);
  const base64 = isJsonObject(wire) ? (wire['inference_result_json_base64'] as string) : '';
  expect(JSON.parse(Buffer.from(base64, 'base64').toString('utf8'))).toBe('You said: a bare prompt');
}, 60_000);
