import 'reflect-metadata';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ChainUnavailable } from '#chain';
import { MessageTypes } from '#messaging';
import { faultsOf, pooledChecking, Refusal, toJson, writeJson } from '#protocol';
import { testDatabases } from '../../../test/support/databases.js';
import {
  base64,
  DAY_MS,
  decoded,
  node,
  refused,
  stranger,
  txid,
  user,
  useWorld,
  type World,
} from './inference-world.spec-suite.js';

describe.each(testDatabases())('inference on $name', (database) => {
  const here = useWorld(database);
  let world: World;
  beforeEach(() => {
    world = here.world;
  });

  describe('a quote', () => {
    test('names cost, rest, amount and window, holds the credits and is owed to the four closest', async () => {
      const { request, response } = await world.quote();
      expect(response.proposed_cost_of_request_in_inference_credits.text).toBe('1.2');
      expect(response.remaining_credits_in_pack_after_request_processed.text).toBe('98.8');
      expect(response.request_confirmation_message_amount_in_patoshis).toBe(12);
      expect(response.max_block_height_to_include_confirmation_transaction).toBe(1010);
      expect(response.inference_request_id).toBe(request.inference_request_id);
      expect(await faultsOf(response, pooledChecking)).toEqual([]);
      expect(await world.balance()).toMatchObject({ availableTenths: 988, heldTenths: 12 });
      await world.sweeps.announcements.sweep(world.clock.now());
      expect(new Set(world.sentTo(MessageTypes.inferenceResponse)).size).toBe(4);
      expect(world.sentTo(MessageTypes.inferenceResponse)).not.toContain(node.pastelId);
    });

    test('answers a JavaScript client in its dialect, body, hash and store alike', async () => {
      // 1.0 credits at 1000 - 10 tenths left: both amounts are whole
      const parameters = base64('{"number_of_tokens_to_generate": 849}');
      const { request, response } = await world.quote({
        model_parameters_json_b64: parameters,
        inference_request_utc_iso_string: '2026-01-05T12:00:00.123Z',
      });
      expect(response.proposed_cost_of_request_in_inference_credits.text).toBe('1');
      expect(response.remaining_credits_in_pack_after_request_processed.text).toBe('99');
      expect(await faultsOf(response, pooledChecking)).toEqual([]);
      expect(response.remaining_credits_in_pack_after_request_processed.text).toBe('99');
      const stored = await world.repository.responseOf(request.inference_request_id);
      expect(writeJson(toJson(stored!))).toBe(writeJson(toJson(response)));
      const python = await world.quote({ model_parameters_json_b64: parameters });
      expect(python.response.proposed_cost_of_request_in_inference_credits.text).toBe('1.0');
      expect(python.response.remaining_credits_in_pack_after_request_processed.text).toBe('98.0');
    });

    test('the same request again gets the very same answer, however late; another one under its id is refused', async () => {
      const { request, response } = await world.quote();
      world.ledger.tip += 5;
      const again = await world.quotes.quote(request);
      expect(writeJson(toJson(again))).toBe(writeJson(toJson(response)));
      const other = await world.request({ inference_request_id: request.inference_request_id });
      await refused(world.quotes.quote(other), 'conflict', 'was used before');
      expect((await world.balance()).heldTenths).toBe(12);
    });

    test('the same request twice at once is one quote', async () => {
      const request = await world.request();
      const [first, second] = await Promise.all([world.quotes.quote(request), world.quotes.quote(request)]);
      expect(writeJson(toJson(second))).toBe(writeJson(toJson(first)));
      expect((await world.balance()).heldTenths).toBe(12);
    });

    test.each([
      ['stale height', { inference_request_pastel_block_height: 998 }, 'bad-request', 'block height'],
      [
        'unknown model',
        { requested_model_canonical_string: 'SANDBOX-ECHO' },
        'bad-request',
        "does not offer the model 'SANDBOX-ECHO'",
      ],
      ['other work', { model_inference_type_string: 'text_to_image' }, 'bad-request', 'does not do'],
      ['broken input', { model_input_data_json_b64: 'abc=' + 'a===' }, 'bad-request', 'model_input_data_json_b64'],
      ['broken parameters', { model_parameters_json_b64: base64('[') }, 'bad-request', 'model_parameters_json_b64'],
      [
        'unknown parameter',
        { model_parameters_json_b64: base64('{"prompt_cache_hit_tokens": 5000}') },
        'bad-request',
        'prompt_cache_hit_tokens',
      ],
      ['unknown pack', { credit_pack_ticket_pastel_txid: 'd'.repeat(64) }, 'bad-request', 'no valid credit pack'],
      [
        'too dear for any pack',
        { model_parameters_json_b64: base64('{"number_of_tokens_to_generate": 10000000}') },
        'bad-request',
        'at most',
      ],
      [
        'over balance',
        { model_parameters_json_b64: base64('{"number_of_tokens_to_generate": 100000}') },
        'bad-request',
        'Insufficient credits: the request costs 117.6',
      ],
    ] as const)('%s is refused, and nothing is stored', async (_, changes, code, text) => {
      const request = await world.request(changes);
      await refused(world.quotes.quote(request), code, text);
      expect(await world.repository.job(request.inference_request_id)).toBeNull();
      expect((await world.balance()).heldTenths).toBe(0);
    });

    test('a PastelID that merely contains or resembles an authorised one is refused', async () => {
      await refused(world.quotes.quote(await world.request({}, stranger)), 'forbidden', 'not authorised');
    });

    test('the purchase burn names the pack as well, and a cost equal to the balance is served', async () => {
      // 84 964 tokens out: 100.0 credits
      const { response } = await world.quote({
        credit_pack_ticket_pastel_txid: 'c'.repeat(64),
        model_parameters_json_b64: base64('{"number_of_tokens_to_generate": 84998}'),
      });
      expect(response.proposed_cost_of_request_in_inference_credits.text).toBe('100.0');
      expect(response.remaining_credits_in_pack_after_request_processed.text).toBe('0.0');
      await refused(world.quote(), 'bad-request', 'Insufficient');
    });

    test('who may not pay learns so before the input is read', async () => {
      const unread = { model_input_data_json_b64: 'abc=' + 'a===' };
      const ofUnknownPack = await world.request({ ...unread, credit_pack_ticket_pastel_txid: 'd'.repeat(64) });
      await refused(world.quotes.quote(ofUnknownPack), 'bad-request', 'no valid credit pack');
      await refused(world.quotes.quote(await world.request(unread, stranger)), 'forbidden', 'not authorised');
      await world.with({ number_of_tokens_to_generate: 84_661 });
      await refused(world.quotes.quote(await world.request(unread)), 'bad-request', /costs 0.5, at most 0.4 are available/);
    });

    test('of many at once on one balance, exactly as many are held as it bears', async () => {
      // 20.0 credits each
      const requests = await Promise.all(
        Array.from({ length: 12 }, () =>
          world.request({ model_parameters_json_b64: base64('{"number_of_tokens_to_generate": 16998}') }),
        ),
      );
      const outcomes = await Promise.allSettled(requests.map((request) => world.quotes.quote(request)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Refusal);
      expect(await world.balance()).toMatchObject({ heldTenths: 1000, availableTenths: 0 });
    });

    test('the number of open quotes is limited', async () => {
      world = await here.open({ openQuotesPerPastelIdMax: 2 });
      await world.quote();
      await world.quote();
      await refused(world.quote(), 'too-many', 'unpaid quotes');
    });

    test('without the chain there is no quote', async () => {
      world.ledger.isChainAway = true;
      await expect(world.quote()).rejects.toBeInstanceOf(ChainUnavailable);
    });
  });

  describe('a paid request', () => {
    test('runs by itself, and its signed result is the owner’s alone', async () => {
      const { request, response } = await world.quote();
      const [id, responseId] = [request.inference_request_id, response.inference_response_id];
      const echo = await world.confirm(id, world.burn(1));
      expect(toJson(echo)).toMatchObject({ inference_request_id: id, confirmation_transaction: { txid: txid(1) } });
      expect(await world.state(id)).toBe('CONFIRMED');
      expect(await world.results.isReady(responseId)).toBe(false);
      await world.settle();
      expect(await world.state(id)).toBe('COMPLETED');
      expect(await world.results.isReady(responseId)).toBe(true);
      const result = await world.results.retrieve(responseId, user.pastelId);
      expect(await faultsOf(result, pooledChecking)).toEqual([]);
      expect(decoded(result)).toBe('You said: Hello there');
      expect(result.inference_result_file_type_strings).toBe('{"output_text": "txt", "output_files": ["NA"]}');
      await refused(world.results.retrieve(responseId, stranger.pastelId), 'forbidden', 'Unauthorized');
      await refused(world.results.retrieve(world.entropy.uuid(), user.pastelId), 'not-found', 'not found');
      await world.sweeps.announcements.sweep(world.clock.now());
      expect(new Set(world.sentTo(MessageTypes.inferenceResult)).size).toBe(4);
      expect(await world.balance()).toMatchObject({ heldTenths: 0, burnedTenths: 12 });
      expect(await world.results.status(id, user.pastelId)).toMatchObject({
        state: 'COMPLETED',
        usage_source: 'reported',
        attempts: 1,
      });
    });

    test('naming the burn again changes nothing; naming another one is refused', async () => {
      const { request } = await world.paid(1);
      await world.settle();
      await world.confirm(request.inference_request_id, txid(1));
      await world.settle();
      expect(await world.results.status(request.inference_request_id, user.pastelId)).toMatchObject({
        state: 'COMPLETED',
        attempts: 1,
      });
      await refused(world.confirm(request.inference_request_id, world.burn(2)), 'conflict', 'another transaction');
    });

    test('a burn that was taken as payment just before the node died is not forgotten for another one', async () => {
      const { request } = await world.quote();
      const id = request.inference_request_id;
      const paid = world.burn(1);
      await world.ledger.claimBurn({ requestId: id, txid: paid });
      await refused(world.confirm(id, world.burn(2)), 'conflict', /paid already/);
      expect(await world.results.status(id, user.pastelId)).toMatchObject({ state: 'CONFIRMED', burn_txid: paid });
    });

    test('only its owner may name a burn', async () => {
      const { request } = await world.quote();
      await refused(world.confirm(request.inference_request_id, world.burn(1), stranger), 'forbidden', 'another PastelID');
      await refused(world.confirm(world.entropy.uuid(), txid(1)), 'not-found', 'no open');
      expect(await world.state(request.inference_request_id)).toBe('QUOTED');
    });

    test('one burn pays one request', async () => {
      await world.paid(1);
      const { request } = await world.quote();
      await refused(world.confirm(request.inference_request_id, txid(1)), 'conflict', 'used already');
      expect(await world.state(request.inference_request_id)).toBe('QUOTED');
      // the right one may still be named
      await world.confirm(request.inference_request_id, world.burn(2));
      expect(await world.state(request.inference_request_id)).toBe('CONFIRMED');
    });

    test.each([
      ['a stranger’s', { owner: false }, 'tracking address'],
      ['a short', { tenths: 11 }, 'too small'],
    ] as const)('%s burn is refused at once', async (_, burn, text) => {
      const { request } = await world.quote();
      await refused(world.confirm(request.inference_request_id, world.burn(1, burn)), 'conflict', text);
      expect(await world.balance()).toMatchObject({ heldTenths: 12 });
    });

    test('a burn that is not seen yet is echoed and looked for until it comes', async () => {
      const { request, response } = await world.quote();
      await world.confirm(request.inference_request_id, txid(1));
      await world.settle();
      expect(await world.state(request.inference_request_id)).toBe('QUOTED');
      world.burn(1);
      world.clock.advance(60_000);
      await world.settle();
      expect(await world.state(request.inference_request_id)).toBe('COMPLETED');
      expect(await world.results.isReady(response.inference_response_id)).toBe(true);
    });

    test('while the chain is away the confirmation is kept', async () => {
      const { request } = await world.quote();
      world.burn(1);
      world.ledger.isChainAway = true;
      await world.confirm(request.inference_request_id, txid(1));
      expect(await world.state(request.inference_request_id)).toBe('QUOTED');
      world.ledger.isChainAway = false;
      world.clock.advance(60_000);
      await world.settle();
      expect(await world.state(request.inference_request_id)).toBe('COMPLETED');
    });

    test('the looking ends', async () => {
      const { request } = await world.quote();
      await world.confirm(request.inference_request_id, txid(1));
      for (let i = 0; i < 125; i++) {
        world.clock.advance(60_000);
        await world.sweeps.confirmations.sweep(world.clock.now());
      }
      expect(world.ledger.claims).toBeLessThanOrEqual(121);
      expect((await world.repository.job(request.inference_request_id))!.named_txid).toBeNull();
    });
  });

  describe('what is not paid, or not as agreed', () => {
    test('an unpaid quote expires after the grace, and its hold is released', async () => {
      const { request } = await world.quote();
      world.ledger.tip = 1015;
      await world.settle();
      expect(await world.state(request.inference_request_id)).toBe('QUOTED');
      world.ledger.tip = 1016;
      await world.settle();
      expect(await world.state(request.inference_request_id)).toBe('EXPIRED');
      expect(await world.balance()).toMatchObject({ heldTenths: 0, availableTenths: 1000 });
      // paid in time all the same, only named late
      await world.confirm(request.inference_request_id, world.burn(1, { height: 1009 }));
      await world.settle();
      expect(await world.state(request.inference_request_id)).toBe('COMPLETED');
    });

    test('while the chain is away nothing expires', async () => {
      const { request } = await world.quote();
      world.ledger.tip = 1100;
      world.ledger.isChainAway = true;
      await expect(world.sweeps.confirmations.expireUnpaid()).rejects.toBeInstanceOf(ChainUnavailable);
      expect(await world.state(request.inference_request_id)).toBe('QUOTED');
    });

    test.each([
      ['too late', { height: 1011 }, 'block 1011', '1.2', 'burn_too_late'],
      ['too much', { tenths: 13 }, 'too large', '1.3', 'burn_overpaid'],
      ['more than the pack had left', { borneTenths: 5 }, 'used up', '0.5', 'burn_overdrawn'],
    ] as const)('the owner’s burn that is %s is not run: a credit note', async (_, burn, text, credits, code) => {
      const { request, response } = await world.quote();
      await refused(world.confirm(request.inference_request_id, world.burn(1, burn)), 'conflict', text);
      await refused(world.confirm(request.inference_request_id, txid(1)), 'conflict', text);
      await world.settle();
      expect(await world.state(request.inference_request_id)).toBe('REFUSED');
      const [note, ...more] = await world.creditNotes(user.pastelId);
      expect(more).toEqual([]);
      expect(await faultsOf(note!, pooledChecking)).toEqual([]);
      expect(note).toMatchObject({ burn_txid: txid(1), inference_request_id: request.inference_request_id });
      expect(note!.credits_owed.text).toBe(credits);
      expect(await world.creditNotes(stranger.pastelId)).toEqual([]);
      const result = await world.results.retrieve(response.inference_response_id, user.pastelId);
      expect((decoded(result) as { error: object }).error).toMatchObject({ code, credit_note_id: note!.credit_note_id });
      expect(await world.balance()).toMatchObject({ heldTenths: 0 });
    });
  });

  test('unpaid quotes are forgotten after a day', async () => {
    const { request } = await world.quote();
    world.ledger.tip = 1016;
    await world.settle();
    world.clock.advance(DAY_MS + 1);
    await world.settle();
    expect(await world.repository.request(request.inference_request_id)).toBeNull();
    await refused(world.confirm(request.inference_request_id, world.burn(1)), 'not-found', 'no open');
  });

  test('results are forgotten after their time; ids, burns and credit notes are not', async () => {
    const { request, response } = await world.paid(1);
    const failed = await world.paid(2, { sandbox_failure: 'refused' });
    await world.settle();
    world.clock.advance(30 * DAY_MS - 1);
    await world.settle();
    expect(await world.results.isReady(response.inference_response_id)).toBe(true);
    world.clock.advance(2);
    await world.settle();
    expect(await world.results.isReady(response.inference_response_id)).toBe(false);
    await refused(world.quotes.quote(request), 'conflict', 'was used before');
    await refused(world.confirm(failed.request.inference_request_id, txid(3)), 'not-found', 'no open');
    expect(await world.creditNotes(user.pastelId)).toHaveLength(1);
  });
});
