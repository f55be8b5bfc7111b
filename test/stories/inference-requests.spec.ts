import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { encodeBase64, InferenceAPIOutputResult } from '#protocol';
import { DataSource } from 'typeorm';
import { newIdentity, send } from '../support/http-app.js';
import { costing, InferenceUser, parameters, quotedBy, serve } from '../support/inference-user.js';
import { TestNetwork, type RunningSupernode } from '../support/network.js';

jest.setTimeout(60_000);

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

describe.each(['SQLite', 'PostgreSQL'] as const)('inference requests, books on %s', (database) => {
  let network: TestNetwork;
  let user: InferenceUser;
  let stranger: InferenceUser;
  let node: RunningSupernode;

  beforeAll(async () => {
    network = await TestNetwork.start({ database });
    node = network.supernodes[0]!;
    user = await InferenceUser.withPack(network, 1500);
    stranger = user.as(newIdentity());
  }, 120_000);
  afterAll(() => network.close());

  const resultsOf = (requestId: string): Promise<number> =>
    node.app.get(DataSource).getRepository(InferenceAPIOutputResult).countBy({ inference_request_id: requestId });
  /** The announcements travel to the other supernodes. */
  async function announce(): Promise<void> {
    network.clock.advance(1_000);
    await network.sweep();
    await network.sweep();
  }
  const others = (): RunningSupernode[] => network.supernodes.filter((supernode) => supernode !== node);

  /** The hash as a JavaScript client computes it of what it received: numbers as JavaScript prints them. */
  function hashByJavaScript(text: string): string {
    const message = JSON.parse(text) as Record<string, unknown>;
    const kept = Object.keys(message)
      .filter((name) => name !== 'id' && !name.startsWith('sha3_256_hash_of') && !name.includes('_signature_on_'))
      .sort();
    const printed = kept.map((name) => `${JSON.stringify(name)}: ${JSON.stringify(message[name])}`).join(', ');
    return createHash('sha3-256').update(`{${printed}}`).digest('hex');
  }

  test('a JavaScript client is answered as it prints numbers, everywhere alike; a Python client with floats', async () => {
    const javaScript = await user.request({
      inference_request_utc_iso_string: network.clock.now().toISOString(),
      model_input_data_json_b64: encodeBase64(JSON.stringify({ prompt: 'Hello there' })),
      model_parameters_json_b64: encodeBase64(
        JSON.stringify({
          number_of_tokens_to_generate: '8496',
          number_of_completions_to_generate: '1',
          temperature: '',
          seed: '',
          grammar_file_string: '',
        }),
      ),
    });
    const made = await user.make(node, javaScript);
    const quoted = await quotedBy(javaScript, made);
    expect(made.text).toContain('"proposed_cost_of_request_in_inference_credits":10,');
    expect(made.text).toContain('"remaining_credits_in_pack_after_request_processed":1490,');
    expect(quoted.response.sha3_256_hash_of_inference_request_response_fields).toBe(hashByJavaScript(made.text));
    await user.pay(node, quoted);
    await serve(node);
    // The prompt reached the model without its wrapping.
    expect((await user.result(node, quoted.responseId)).output).toBe('You said: Hello there');
    await announce();
    for (const supernode of network.supernodes)
      expect((await user.audit(supernode, 'response', quoted.responseId)).text).toBe(made.text);

    const python = await user.request(costing(100));
    const answer = await user.make(node, python);
    const { response } = await quotedBy(python, answer);
    expect(answer.text).toContain('"proposed_cost_of_request_in_inference_credits":10.0,');
    expect(answer.text).toContain('"remaining_credits_in_pack_after_request_processed":1480.0,');
    expect(response.sha3_256_hash_of_inference_request_response_fields).not.toBe(hashByJavaScript(answer.text));
  });

  test('the same request again gets the stored answer, byte for byte; another one under its id does not', async () => {
    const before = await user.books(node);
    const request = await user.request();
    const [first, same] = await Promise.all([user.make(node, request), user.make(node, request)]);
    const { id } = await quotedBy(request, first);
    expect([same.status, same.text]).toEqual([200, first.text]);
    network.mine(3);
    expect((await user.make(node, request)).text).toBe(first.text);
    const different = await user.make(node, await user.request({ inference_request_id: id, ...costing(50) }));
    expect([different.status, different.json().detail]).toEqual([409, expect.stringContaining('was used before')]);
    const foreign = await stranger.make(node, await stranger.request({ inference_request_id: id }));
    expect(foreign.status).toBe(409);
    expect((await user.books(node)).heldTenths).toBe(before.heldTenths + 12);
  });

  test('a confirmation repeated, also at the same moment and after the end, runs nothing twice', async () => {
    const before = await user.books(node);
    const quoted = await user.quote(node);
    const txid = await user.burn(quoted.tenths);
    const replies = await Promise.all([1, 2, 3].map(() => user.confirm(node, quoted.id, txid)));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    await Promise.all([serve(node), serve(node)]);
    const { text } = await user.result(node, quoted.responseId);
    expect((await user.confirm(node, quoted.id, txid)).status).toBe(200);
    await serve(node);
    expect((await user.result(node, quoted.responseId)).text).toBe(text);
    expect(await user.status(node, quoted.id)).toMatchObject({ state: 'COMPLETED', attempts: 1, burn_txid: txid });
    expect(await resultsOf(quoted.id)).toBe(1);
    const books = await user.books(node);
    expect([books.burnedTenths - before.burnedTenths, books.usageBurns - before.usageBurns]).toEqual([12, 1]);
    const second = await user.confirm(node, quoted.id, await user.burn(quoted.tenths));
    expect([second.status, second.json().detail]).toEqual([409, expect.stringContaining('another transaction')]);
  });

  test('what is the owner’s is for the owner alone, and what does not exist is not there', async () => {
    const quoted = await user.quote(node);
    expect((await stranger.confirm(node, quoted.id, 'a'.repeat(64))).status).toBe(403);
    await user.pay(node, quoted);
    expect((await user.retrieve(node, quoted.responseId)).status).toBe(404);
    await serve(node);
    const impostor = user.as({ pastelId: user.signing.pastelId, sign: (text) => stranger.signing.sign(text) });
    expect((await stranger.retrieve(node, quoted.responseId)).status).toBe(403);
    expect((await impostor.retrieve(node, quoted.responseId)).status).toBe(401);
    expect((await user.retrieve(node, UNKNOWN)).status).toBe(404);
    expect((await user.confirm(node, UNKNOWN, 'a'.repeat(64))).status).toBe(404);
    expect((await stranger.get(node, `inference_request_state/${quoted.id}`)).status).toBe(403);
    const ready = (id: string) => send('GET', `${node.url}/check_status_of_inference_request_results/${id}`);
    expect([(await ready(quoted.responseId)).text, (await ready(UNKNOWN)).text]).toEqual(['true', 'false']);
    // What only the responder runs, no other supernode can be told to run.
    expect((await user.confirm(others()[0]!, quoted.id, 'a'.repeat(64))).status).toBe(404);
  });

  test('the other supernodes can be asked for the quote at once and for the result later; strangers learn nothing', async () => {
    const request = await user.request();
    const made = await user.make(node, request);
    const quoted = await quotedBy(request, made);
    await announce();
    for (const supernode of others()) {
      const audits = await Promise.all([quoted.responseId, quoted.id].map((id) => user.audit(supernode, 'response', id)));
      expect(audits.map(({ status, text }) => [status, text])).toEqual([
        [200, made.text],
        [200, made.text],
      ]);
      expect((await user.audit(supernode, 'result', quoted.responseId)).status).toBe(404);
    }
    await user.pay(node, quoted);
    await serve(node);
    await announce();
    const { result, text } = await user.result(node, quoted.responseId);
    expect((await user.audit(node, 'result', quoted.responseId)).text).toBe(text);
    for (const supernode of others()) {
      const copy = (await user.audit(supernode, 'result', quoted.responseId)).json();
      const cut = result.inference_result_json_base64.slice(0, 32);
      expect(copy).toEqual({ ...JSON.parse(text), inference_result_json_base64: cut });
    }
    for (const supernode of [node, others()[0]!]) {
      for (const what of ['response', 'result'] as const) {
        const asOwner = await stranger.audit(supernode, what, quoted.responseId, user.signing.pastelId);
        expect([asOwner.status, asOwner.json().detail]).toEqual([401, expect.stringContaining('signature')]);
        expect((await stranger.audit(supernode, what, quoted.responseId)).status).toBe(403);
        expect((await user.audit(supernode, what, UNKNOWN)).status).toBe(404);
      }
    }
  });

  test('of two requests at once on a balance that covers one, exactly one is quoted', async () => {
    const { availableTenths, heldTenths } = await user.books(node);
    const cost = Math.floor(availableTenths / 2) + 1;
    const requests = [await user.request(costing(cost)), await user.request(costing(cost))];
    const replies = await Promise.all(requests.map((request) => user.make(node, request)));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(replies.find(({ status }) => status === 400)!.json().detail).toContain('Insufficient credits');
    const won = replies[0]!.status === 200 ? 0 : 1;
    const quoted = await quotedBy(requests[won]!, replies[won]!);
    expect(await user.books(node)).toMatchObject({ availableTenths: availableTenths - cost, heldTenths: heldTenths + cost });
    await user.pay(node, quoted);
    await serve(node);
    expect((await user.status(node, quoted.id)).state).toBe('COMPLETED');
  });

  test('of twenty at once on a balance for seven, seven are quoted, paid and served', async () => {
    const start = await user.books(node);
    const cost = Math.floor(start.availableTenths / 7);
    const requests = [];
    for (let n = 0; n < 20; n++) requests.push(await user.request(costing(cost)));
    const replies = await Promise.all(requests.map((request) => user.make(node, request)));
    const served = requests.flatMap((request, n) => (replies[n]!.status === 200 ? [[request, replies[n]!] as const] : []));
    expect(served).toHaveLength(7);
    for (const refused of replies.filter(({ status }) => status !== 200))
      expect([refused.status, refused.json().detail]).toEqual([400, expect.stringContaining('Insufficient')]);
    expect(await user.books(node)).toMatchObject({
      availableTenths: start.availableTenths - 7 * cost,
      heldTenths: start.heldTenths + 7 * cost,
    });
    const quotes = await Promise.all(served.map(([request, reply]) => quotedBy(request, reply)));
    await Promise.all(quotes.map((quoted) => user.pay(node, quoted)));
    await serve(node);
    for (const { id } of quotes) {
      expect(await user.status(node, id)).toMatchObject({ state: 'COMPLETED', attempts: 1 });
      expect(await resultsOf(id)).toBe(1);
    }
    expect(await user.books(node)).toMatchObject({
      availableTenths: start.availableTenths - 7 * cost,
      heldTenths: start.heldTenths,
      burnedTenths: start.burnedTenths + 7 * cost,
      usageBurns: start.usageBurns + 7,
    });
  });

  test('a parameter or a model that does not exist is named, and holds nothing', async () => {
    const before = await user.books(node);
    const answers = [
      await user.make(node, await user.request(parameters({ no_such_parameter: 1 }))),
      await user.make(node, await user.request({ requested_model_canonical_string: 'no-such-model' })),
      await user.make(node, await user.request({ credit_pack_ticket_pastel_txid: 'f'.repeat(64) })),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    for (const [n, name] of ['no_such_parameter', 'no-such-model', 'f'.repeat(64)].entries()) {
      expect(answers[n]!.json().detail).toContain(name);
    }
    expect(await user.books(node)).toEqual(before);
  });
});
