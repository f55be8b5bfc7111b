import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Chain } from '#chain';
import { Refusal } from '#protocol';
import { testDatabases } from '../../../../test/support/databases.js';
import { AdmissionService } from '../quote/admission.service.js';
import { KnownCompletedRequests } from '../results/completed-requests.service.js';
import { EarlyEndpoints } from './early-endpoints.service.js';
import { HandedInResults } from '../results/handed-in-results.service.js';
import { InferenceMessages } from '../inference-messages.service.js';
import {
  base64,
  decoded,
  node,
  PACK,
  refused,
  settings,
  providersOf,
  stranger,
  txid,
  user,
  useWorld,
  World,
} from '../../test/inference-world.spec-suite.js';
import { PricingService } from '../quote/pricing.service.js';

const question = {
  requesting_pastelid: user.pastelId,
  credit_pack_identifier: PACK,
  requested_model_canonical_string: 'sandbox-echo',
  model_parameters_json: '{}',
  model_input_data_json_b64: base64('Hello'),
};

describe.each(testDatabases())('the first clients on $name', (database) => {
  const here = useWorld(database);
  let world: World;
  let steps: EarlyEndpoints;
  let handedIn: HandedInResults;
  let known: KnownCompletedRequests;
  beforeEach(() => {
    world = here.world;
    const { repository, ledger, clock, catalog, transactions, entropy } = world;
    const pricing = new PricingService(catalog, providersOf(settings, clock), world.gate, settings, {
      targetUsdPerCredit: 0.01,
      targetProfitMargin: 0.15,
    } as never);
    const admission = new AdmissionService(ledger, repository, world.redemptions, settings);
    steps = new EarlyEndpoints(repository, pricing, admission, world.sweeps.confirmations, world.sweeps.executions, clock);
    const messages = new InferenceMessages({ height: async () => ledger.tip } as Chain, clock, entropy, node, settings);
    handedIn = new HandedInResults(transactions, repository, messages, clock);
    known = new KnownCompletedRequests(repository, world.copies, ledger, node);
  });

  test('validate quotes the same cost as a request, and leaves no trace', async () => {
    const before = await world.balance();
    const validity = await steps.validate(question);
    const { response } = await world.quote({ model_input_data_json_b64: question.model_input_data_json_b64 });
    expect(validity).toEqual({
      is_valid: true,
      proposed_cost_of_request_in_inference_credits: response.proposed_cost_of_request_in_inference_credits.value,
      remaining_credits_in_pack_after_request_processed: response.remaining_credits_in_pack_after_request_processed.value,
      reason: null,
    });
    expect(before.heldTenths).toBe(0);
  });

  test.each([
    ['an unknown model', { requested_model_canonical_string: 'dreams' }, /does not offer/],
    ['an unknown pack', { credit_pack_identifier: txid(9) }, /no valid credit pack/],
    ['a pack of somebody else', { requesting_pastelid: stranger.pastelId }, /not authorised/],
    ['parameters that are no JSON', { model_parameters_json: '{' }, /JSON object/],
  ])('%s is not valid, and the answer says why', async (_, change, reason) => {
    expect(await steps.validate({ ...question, ...change })).toMatchObject({
      is_valid: false,
      proposed_cost_of_request_in_inference_credits: null,
      reason: expect.stringMatching(reason),
    });
    expect((await world.balance()).heldTenths).toBe(0);
  });

  test('a chain that is away makes nothing invalid', async () => {
    world.ledger.isChainAway = true;
    await expect(steps.validate(question)).rejects.not.toBeInstanceOf(Refusal);
  });

  test('process is null until the burn shows, and true from then on; another burn is refused', async () => {
    const { request, response } = await world.with({});
    const id = request.inference_request_id;
    const step = { inference_request_id: id, confirmation_transaction: { txid: txid(1) } };
    expect(await steps.process(step, user.pastelId)).toMatchObject({ is_processed: null });
    await refused(steps.process(step, stranger.pastelId), 'forbidden', /another PastelID/);
    await refused(steps.execute(id, user.pastelId), 'conflict', /not confirmed/);
    world.burn(1, { tenths: response.request_confirmation_message_amount_in_patoshis });
    expect(await steps.process(step, user.pastelId)).toEqual({ is_processed: true, reason: null });
    const other = { ...step, confirmation_transaction: { txid: txid(2) } };
    expect(await steps.process(other)).toMatchObject({ is_processed: false, reason: expect.stringMatching(/another/) });
    const nonsense = { ...step, confirmation_transaction: { txid: 'mine' } };
    await refused(steps.process(nonsense), 'bad-request', /64 lower-case hex/);
  });

  test('execute waits for the result and then gives it, however often', async () => {
    const { request } = await world.paid(1, { sandbox_delay_ms: 1000 });
    const ask = () => steps.execute(request.inference_request_id, user.pastelId);
    expect(await ask()).toMatchObject({ output_text: null, inference_result: null });
    await world.waiting(1);
    world.clock.advance(1000);
    await world.settle();
    const done = await ask();
    expect(done).toMatchObject({ state: 'COMPLETED', output_text: expect.any(String) });
    expect(await ask()).toEqual(done);
    await refused(steps.execute('nothing'), 'not-found', /no such/);
  });

  describe('results that are handed in', () => {
    const give = async ({ request, response }: Awaited<ReturnType<World['quote']>>, output: object) =>
      handedIn.take({
        inference_request_id: request.inference_request_id,
        inference_response_id: response.inference_response_id,
        output_results: { ...output },
      });

    test('end a request that is paid and waits, once; the first stays', async () => {
      const paid = await world.paid(1);
      const answers = await Promise.allSettled([1, 2, 3].map((n) => give(paid, { n })));
      const taken = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [decoded(answer.value)] : []));
      expect(taken.length).toBeGreaterThan(0);
      const later = decoded(await give(paid, { n: 4 }));
      for (const one of taken) expect(one).toEqual(later);
      expect(await world.state(paid.request.inference_request_id)).toBe('COMPLETED');
      await world.settle();
      const result = await world.results.retrieve(paid.response.inference_response_id, user.pastelId);
      expect(decoded(result)).toEqual(later);
      expect(await world.balance()).toMatchObject({ heldTenths: 0 });
    });

    test('are refused for what nobody paid for, and for what runs', async () => {
      const unpaid = await world.with({});
      await refused(give(unpaid, {}), 'conflict', /QUOTED/);
      expect((await world.balance()).heldTenths).toBeGreaterThan(0);
      const paid = await world.paid(1);
      await world.sweeps.executions.sweep(world.clock.now());
      const forged = give(paid, { n: 1 }).then(decoded);
      await forged.catch((error: unknown) => expect(error).toMatchObject({ code: 'conflict' }));
      await world.settle();
      expect(await world.state(paid.request.inference_request_id)).toBe('COMPLETED');
    });
  });

  describe('proof that somebody was served', () => {
    test('the own books: only a request that was paid and has ended', async () => {
      const unpaid = await world.with({});
      expect(await known.find(unpaid.request.inference_request_id, node.pastelId)).toBeUndefined();
      const paid = await world.paid(1);
      await world.settle();
      const found = await known.find(paid.request.inference_request_id, node.pastelId);
      expect(found).toMatchObject({ ownerPastelId: user.pastelId, packTxid: PACK, resultHash: expect.any(String) });
      expect(await known.find(paid.response.inference_response_id, node.pastelId)).toEqual(found);
      expect(await known.find(paid.response.inference_response_id, stranger.pastelId)).toBeUndefined();
    });

    test('what was announced: the pack must be the owner’s, and the cost burned', async () => {
      const paid = await world.paid(1);
      await world.settle();
      const elsewhere = await World.elsewhere();
      for (const { type, text } of world.messenger.sent)
        await elsewhere.receiver.handle({ type, text, senderPastelId: node.pastelId } as never);
      const there = new KnownCompletedRequests(elsewhere.repository, elsewhere.copies, elsewhere.ledger, stranger);
      const find = () => there.find(paid.response.inference_response_id, node.pastelId);
      expect(await find()).toBeUndefined();
      await elsewhere.paid(2);
      expect(await find()).toMatchObject({ ownerPastelId: user.pastelId, packTxid: PACK });
      expect(await there.find(paid.response.inference_response_id, stranger.pastelId)).toBeUndefined();
      await elsewhere.source.destroy();
    });
  });
});
