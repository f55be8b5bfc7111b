import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rateInference, runInference, type InferenceOutcome } from '#client';
import { encodeBase64, ratingText, type Signing } from '#protocol';
import { newIdentity, provenBy, send, type Reply } from '../support/http-app.js';
import { InferenceUser } from '../support/inference-user.js';
import { TestNetwork, type RunningSupernode } from '../support/network.js';

const RATE = 'update_inference_sn_reputation_score';

describe('the reputation of supernodes', () => {
  let network: TestNetwork;
  let user: InferenceUser;
  let outcome: InferenceOutcome;
  let witness: RunningSupernode;
  let served: RunningSupernode;
  beforeAll(async () => {
    network = await TestNetwork.start();
    user = await InferenceUser.withPack(network, 100);
    outcome = await network.until(
      runInference(user.side, { packTxid: user.packTxid, model: 'sandbox-echo', input: 'Hello', parameters: {} }),
    );
    // The copies travel, and the peers ask each other whether they are alive.
    for (let round = 0; round < 4; round++) {
      network.mine();
      network.clock.advance(10_000);
      await network.sweep();
    }
    served = network.supernodes.find(({ pastelId }) => pastelId === outcome.supernodePastelId)!;
    witness = network.supernodes.find(({ pastelId }) => pastelId !== outcome.supernodePastelId)!;
  }, 120_000);
  afterAll(() => network.close());

  const post = (path: string, body: object, node = witness): Promise<Reply> => send('POST', `${node.url}/${path}`, body);
  const scoreOf = async (pastelId: string) => (await send('GET', `${witness.url}/reputation/${pastelId}`)).json();
  async function rating(score: number, who: Signing = user.signing, more: object = {}) {
    const claim = { supernodePastelId: served.pastelId, inferenceId: outcome.response.inference_response_id, score };
    return {
      supernode_pastelid: served.pastelId,
      reputation_score: score,
      pastelid: who.pastelId,
      inference_response_id: claim.inferenceId,
      signature: await who.sign(ratingText(claim)),
      ...more,
    };
  }

  test('a call as the original knows it is answered, and stores nothing', async () => {
    const before = await scoreOf(served.pastelId);
    const reply = await post(RATE, { supernode_pastelid: served.pastelId, reputation_score: 5 });
    expect([reply.status, reply.text]).toEqual([200, '{"is_updated":false}']);
    expect(await scoreOf(served.pastelId)).toEqual(before);
    expect(before.rating).toEqual({ mean: null, voices: 0 });
  });

  test.each([
    ['another score than the one that was signed', () => rating(5, user.signing, { reputation_score: 4 }), 401],
    ['a stranger', () => rating(5, newIdentity()), 403],
    ['a request that nobody knows', async () => rating(5, user.signing, { inference_response_id: outcome.response.id }), 401],
    ['more than five', async () => rating(5, user.signing, { reputation_score: 6 }), 400],
    ['three decimals', async () => rating(5, user.signing, { reputation_score: 4.123 }), 400],
    ['a score that is no number', () => rating(5, user.signing, { reputation_score: 'best' }), 422],
    ['another supernode', () => rating(5, user.signing, { supernode_pastelid: witness.pastelId }), 401],
  ])('%s is refused', async (_, body, status) => {
    const reply = await post(RATE, await body());
    expect([reply.status, reply.text]).toEqual([status, expect.stringContaining('detail')]);
    expect((await scoreOf(served.pastelId)).rating.voices).toBe(0);
  });

  test('the owner of the request rates it once, at every supernode that was told of it', async () => {
    const before = await scoreOf(served.pastelId);
    const told = await rateInference(user.side, { result: outcome.result, servedBy: outcome.supernodePastelId, score: 5 });
    expect(told).toMatchObject({ asked: 4, taken: 4, reasons: [] });
    const after = await scoreOf(served.pastelId);
    expect(after.rating).toEqual({ mean: 5, voices: 1 });
    expect(after.audit).toEqual({ agreeing: 1, differing: 0 });
    expect(after.reputation_score).toBeGreaterThan(before.reputation_score);

    expect((await post(RATE, await rating(5))).text).toBe('{"is_updated":true}');
    const second = await post(RATE, await rating(0));
    expect(second.status).toBe(409);
    expect(await scoreOf(served.pastelId)).toMatchObject({ rating: { mean: 5, voices: 1 } });
  });

  test('the supernode itself takes a rating by its own books', async () => {
    expect((await post(RATE, await rating(3), served)).text).toBe('{"is_updated":true}');
  });

  test('who answers is measured, stored and shown', async () => {
    const health = (await send('GET', `${witness.url}/supernode_health`)).json();
    expect(health).toMatchObject({ answering: 4, not_answering: 0 });
    expect(health.supernodes.map(({ pastelid }: { pastelid: string }) => pastelid)).toContain(served.pastelId);
    const page = await send('GET', `${witness.url}/get_supernode_inference_server_benchmark_plots`);
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.text).toContain('<svg');
    expect(page.text).not.toMatch(/<script|https?:/);
  });

  describe('the steps of the first clients', () => {
    const proven = async (who: Signing) => provenBy(witness.url, who);
    const question = (words: string) => ({
      requesting_pastelid: user.signing.pastelId,
      credit_pack_identifier: user.packTxid,
      requested_model_canonical_string: 'sandbox-echo',
      model_parameters_json: '{"number_of_tokens_to_generate": 850}',
      model_input_data_json_b64: encodeBase64(words),
    });

    test('validate says what it would cost, and holds nothing', async () => {
      const ask = async () =>
        (await post('validate_inference_api_usage_request', { ...question('Hello'), ...(await proven(user.signing)) })).json();
      const first = await ask();
      expect(first).toMatchObject({ is_valid: true, reason: null });
      expect(await ask()).toEqual(first);
      const dear = { ...question('Hello'), model_parameters_json: '{"number_of_tokens_to_generate": 1e6}' };
      const refused = (await post('validate_inference_api_usage_request', dear)).json();
      expect(refused).toMatchObject({ is_valid: false, reason: expect.stringMatching(/credits/) });
    });

    test('a stranger can take no step of somebody else', async () => {
      const stranger = newIdentity();
      const reply = await post('validate_inference_api_usage_request', { ...question('Hello'), ...(await proven(stranger)) });
      expect(reply.status).toBe(401);
      const query = new URLSearchParams({
        inference_request_id: outcome.request.inference_request_id,
        ...(await provenBy(served.url, stranger)),
      }).toString();
      expect((await post(`execute_inference_request?${query}`, {}, served)).status).toBe(403);
      const far = { 'X-Forwarded-For': '203.0.113.7' };
      const id = outcome.request.inference_request_id;
      const away = await send('POST', `${served.url}/execute_inference_request?inference_request_id=${id}`, {}, far);
      expect(away.status).toBe(422);
    });

    test('process and execute take the steps of the state machine, and execute gives the result as often as asked', async () => {
      const unknown = { inference_request_id: outcome.response.id, confirmation_transaction: { txid: outcome.burnTxid } };
      expect((await post('process_inference_confirmation', unknown, served)).json()).toMatchObject({ is_processed: false });
      const known = { ...unknown, inference_request_id: outcome.request.inference_request_id };
      expect((await post('process_inference_confirmation', known, served)).json()).toMatchObject({ is_processed: true });
      const path = `execute_inference_request?inference_request_id=${known.inference_request_id}`;
      const [one, other] = [await post(path, {}, served), await post(path, {}, served)];
      expect(one.json()).toMatchObject({ state: 'COMPLETED', output_text: expect.any(String), output_files: [] });
      expect(other.text).toBe(one.text);
    });

    test('a result is handed in for a request that is paid and waits, and for no other', async () => {
      const handIn = (body: object) => post('send_inference_output_results', body, served);
      const done = {
        inference_request_id: outcome.request.inference_request_id,
        inference_response_id: outcome.response.inference_response_id,
        output_results: { output_text: 'forged' },
      };
      const reply = (await handIn(done)).json();
      expect(reply.inference_result_json_base64).toBe(outcome.result.inference_result_json_base64);
      expect((await handIn({ ...done, inference_response_id: outcome.response.id })).status).toBe(404);
    });
  });
});
