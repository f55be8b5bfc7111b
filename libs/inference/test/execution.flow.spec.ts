import 'reflect-metadata';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { MessageTypes, type ReceivedMessage } from '#messaging';
import { faultsOf, pooledChecking, toJson, writeJson } from '#protocol';
import { testDatabases } from '../../../test/support/databases.js';
import {
  CountingClock,
  DAY_MS,
  decoded,
  node,
  others,
  refused,
  stranger,
  txid,
  user,
  useWorld,
  World,
} from './inference-world.spec-suite.js';

describe.each(testDatabases())('running and auditing on $name', (database) => {
  const here = useWorld(database);
  let world: World;
  beforeEach(() => {
    world = here.world;
  });

  describe('execution', () => {
    test('what may pass is tried again; what may not ends with an error result and a credit note', async () => {
      const once = await world.paid(1, { sandbox_failure: 'unavailable_once' });
      const refusing = await world.paid(2, { sandbox_failure: 'refused' });
      await world.settle();
      expect(await world.state(once.request.inference_request_id)).toBe('CONFIRMED');
      expect(await world.state(refusing.request.inference_request_id)).toBe('FAILED');
      world.clock.advance(5_000);
      await world.settle();
      expect(await world.results.status(once.request.inference_request_id, user.pastelId)).toMatchObject({
        state: 'COMPLETED',
        attempts: 2,
      });
      const result = await world.results.retrieve(refusing.response.inference_response_id, user.pastelId);
      expect(await faultsOf(result, pooledChecking)).toEqual([]);
      expect(JSON.parse(result.inference_result_file_type_strings)).toEqual({ output_text: 'json', output_files: ['NA'] });
      const [note] = await world.creditNotes(user.pastelId);
      expect(decoded(result)).toEqual({
        error: { code: 'refused', message: 'The sandbox refused, as it was told to', credit_note_id: note!.credit_note_id },
      });
      expect(note!.credits_owed.text).toBe('1.2');
    });

    test('attempts are limited', async () => {
      const { request } = await world.paid(1, { sandbox_failure: 'unavailable' });
      for (let i = 0; i < 6; i++) {
        await world.settle();
        world.clock.advance(100_000);
      }
      expect(await world.results.status(request.inference_request_id, user.pastelId)).toMatchObject({
        state: 'FAILED',
        attempts: 3,
      });
    });

    test('a fault of the provider’s code is a failed request, nothing worse', async () => {
      const { request } = await world.paid(1, { sandbox_failure: 'crash' });
      await world.settle();
      expect(await world.state(request.inference_request_id)).toBe('FAILED');
    });

    test.each(['stall', 'deaf'])('the deadline holds for a provider that would be %s', async (failure) => {
      const { request } = await world.paid(1, { sandbox_failure: failure });
      const waits = world.clock.waits;
      await world.sweeps.executions.sweep(world.clock.now());
      await world.waiting(waits + 1);
      world.clock.advance(600_000);
      await world.sweeps.executions.idle();
      expect(await world.results.status(request.inference_request_id, user.pastelId)).toMatchObject({
        state: 'FAILED',
        attempts: 1,
      });
    });

    test('no more run at once than allowed', async () => {
      for (let n = 1; n <= 3; n++) await world.paid(n, { sandbox_delay_ms: 1000 });
      await world.sweeps.executions.sweep(world.clock.now());
      await world.sweeps.executions.sweep(world.clock.now());
      const [{ n }] = await world.source.query(`SELECT count(*) AS n FROM inference_requests WHERE state = 'EXECUTING'`);
      expect(Number(n)).toBe(2);
    });

    test('an interrupted attempt does not count and is taken up after a restart', async () => {
      const { request } = await world.paid(1, { sandbox_delay_ms: 1000 });
      await world.sweeps.executions.sweep(world.clock.now());
      await world.sweeps.executions.beforeApplicationShutdown();
      expect(await world.results.status(request.inference_request_id, user.pastelId)).toMatchObject({
        state: 'CONFIRMED',
        attempts: 0,
      });
      world.startNode();
      const waits = world.clock.waits;
      await world.sweeps.executions.sweep(world.clock.now());
      await world.waiting(waits + 2);
      world.clock.advance(1000);
      await world.sweeps.executions.idle();
      expect(await world.state(request.inference_request_id)).toBe('COMPLETED');
    });

    test('a process that dies loses nothing: the lease lapses and another one runs it, once', async () => {
      const { request, response } = await world.paid(1, { sandbox_failure: 'deaf' });
      await world.sweeps.executions.sweep(world.clock.now());
      const dead = world.sweeps.executions;
      world.startNode();
      await world.sweeps.executions.sweep(world.clock.now());
      expect(await world.state(request.inference_request_id)).toBe('EXECUTING');
      world.clock.advance(60_000);
      await world.sweeps.executions.sweep(world.clock.now());
      expect(await world.results.status(request.inference_request_id, user.pastelId)).toMatchObject({
        state: 'EXECUTING',
        attempts: 2,
      });
      expect(await world.results.isReady(response.inference_response_id)).toBe(false);
      await dead.beforeApplicationShutdown();
    });

    test.each([
      ['ten minutes ahead', 600_000],
      ['ten minutes behind', -600_000],
      ['an hour ahead', 3_600_000],
    ])('a process whose clock is %s takes no request off one that is alive, and follows one that is dead', async (_, apartMs) => {
      const { request } = await world.paid(1, { sandbox_failure: 'deaf' });
      await world.sweeps.executions.sweep(world.clock.now());
      const [first, clock] = [world.sweeps.executions, new CountingClock()];
      clock.set(apartMs);
      world.startNode(clock);
      const state = () => world.results.status(request.inference_request_id, user.pastelId);
      const pass = async (isFirstAlive: boolean): Promise<void> => {
        for (let passed = 0; passed < 180_000; passed += 20_000) {
          for (const one of [world.clock, clock]) one.advance(20_000);
          if (isFirstAlive) await first.sweep(world.clock.now());
          await world.sweeps.executions.sweep(clock.now());
        }
      };
      await pass(true);
      expect(await state()).toMatchObject({ state: 'EXECUTING', attempts: 1 });
      await pass(false);
      expect(await state()).toMatchObject({ state: 'EXECUTING', attempts: 2 });
      await first.beforeApplicationShutdown();
    });

    test.each([-600_000, -3_600_000, 600_000, 3_600_000])(
      'a clock that is set by %i ms while a request runs and one waits costs neither an attempt',
      async (stepMs) => {
        const { request } = await world.paid(1, { sandbox_failure: 'deaf' });
        await world.sweeps.executions.sweep(world.clock.now());
        const { request: waits } = await world.paid(2);
        world.clock.set(stepMs);
        for (let sweeps = 0; sweeps < 4; sweeps++) {
          world.clock.advance(20_000);
          await world.sweeps.executions.sweep(world.clock.now());
        }
        const states = await Promise.all(
          [request, waits].map(({ inference_request_id: id }) => world.results.status(id, user.pastelId)),
        );
        expect(states).toMatchObject([
          { state: 'EXECUTING', attempts: 1 },
          { state: 'COMPLETED', attempts: 1 },
        ]);
        await world.sweeps.executions.beforeApplicationShutdown();
      },
    );

    test('a process that was taken for dead does not end the attempt of the one that took over', async () => {
      const { request } = await world.paid(1, { sandbox_failure: 'deaf' });
      await world.sweeps.executions.sweep(world.clock.now());
      await world.waiting(1);
      const slow = world.sweeps.executions;
      world.startNode();
      await world.sweeps.executions.sweep(world.clock.now());
      world.clock.advance(60_000);
      await world.sweeps.executions.sweep(world.clock.now());
      await world.waiting(2);
      world.clock.advance(545_000);
      await slow.idle();
      expect(await world.results.status(request.inference_request_id, user.pastelId)).toMatchObject({
        state: 'EXECUTING',
        attempts: 2,
      });
    });
  });

  describe('announcements and audits', () => {
    const signed = async (id: string, who = user) => ({
      inference_response_id: id,
      pastel_id: who.pastelId,
      signature: await who.sign(id),
    });
    const received = (type: string, text: string, senderPastelId = node.pastelId) =>
      ({
        id: '1',
        type,
        text,
        signature: '',
        senderPastelId,
        senderOutpoint: '',
        receiverPastelId: '',
        receiverOutpoint: '',
        sentAt: new Date(0),
      }) satisfies ReceivedMessage;

    test('a receiver that is away is tried again, those that have it are not told twice, and no failure reaches the user', async () => {
      world.messenger.unreachable.add(others[0]!).add(others[1]!);
      await world.quote();
      await world.sweeps.announcements.sweep(world.clock.now());
      const first = world.messenger.sent.length;
      expect(first).toBeLessThan(4);
      world.messenger.isBroken = true;
      world.clock.advance(10_000);
      await world.sweeps.announcements.sweep(world.clock.now());
      world.messenger.isBroken = false;
      world.messenger.unreachable.clear();
      world.clock.advance(30_000);
      await world.sweeps.announcements.sweep(world.clock.now());
      expect(world.messenger.sent).toHaveLength(4);
      expect(new Set(world.messenger.sent.map(({ pastelId }) => pastelId)).size).toBe(4);
      world.clock.advance(DAY_MS);
      await world.sweeps.announcements.sweep(world.clock.now());
      expect(world.messenger.sent).toHaveLength(4);
    });

    test('the responder answers audits in full, by either id, to the owner alone', async () => {
      const { request, response } = await world.paid(1);
      await refused(world.results.auditResult(await signed(response.inference_response_id)), 'not-found', 'not found');
      await world.settle();
      for (const id of [request.inference_request_id, response.inference_response_id]) {
        expect(writeJson(toJson(await world.results.auditResponse(await signed(id))))).toBe(writeJson(toJson(response)));
        expect(decoded(await world.results.auditResult(await signed(id)))).toBe('You said: Hello there');
        await refused(world.results.auditResponse(await signed(id, stranger)), 'forbidden', 'Unauthorized');
        await refused(
          world.results.auditResult({ ...(await signed(id)), signature: (await signed(id, stranger)).signature }),
          'unauthorized',
          'signature',
        );
      }
      await refused(world.results.auditResponse(await signed(world.entropy.uuid())), 'not-found', 'not found');
    });

    test('another node keeps what is announced to it and answers audits from that', async () => {
      const { request, response } = await world.paid(1, { number_of_tokens_to_generate: 849 });
      await world.settle();
      const other = await World.elsewhere();
      for (const { type, text } of world.messenger.sent) await other.receiver.handle(received(type, text));
      for (const id of [request.inference_request_id, response.inference_response_id]) {
        const copy = await other.results.auditResponse(await signed(id));
        expect(writeJson(toJson(copy))).toBe(writeJson(toJson(response)));
        const result = await other.results.auditResult(await signed(id));
        expect(result.inference_result_json_base64).toHaveLength(32);
        expect(toJson(result)).toMatchObject({ inference_response_id: response.inference_response_id });
        await refused(other.results.auditResult(await signed(id, stranger)), 'forbidden', 'Unauthorized');
      }
      // never executed: the copy is no request of that node
      await refused(other.confirm(request.inference_request_id, txid(1)), 'not-found', 'no open');
      expect(await other.results.isReady(response.inference_response_id)).toBe(false);
      await other.source.destroy();
    });

    test('what its sender did not sign, or was changed, is not kept', async () => {
      const { response } = await world.paid(1);
      await world.settle();
      const other = await World.elsewhere();
      const [announcedResponse, announcedResult] = [MessageTypes.inferenceResponse, MessageTypes.inferenceResult].map((type) =>
        world.messenger.sent.find((sent) => sent.type === type)!,
      );
      const bad = [
        received(announcedResponse!.type, announcedResponse!.text, others[0]),
        received(announcedResult!.type, announcedResult!.text, others[0]),
        received(
          announcedResponse!.type,
          announcedResponse!.text.replace(
            '"request_confirmation_message_amount_in_patoshis":12',
            '"request_confirmation_message_amount_in_patoshis":13',
          ),
        ),
        received(
          announcedResponse!.type,
          announcedResponse!.text.replace(/("requesting_pastelid_signature_on_request_hash":")..../, '$1AAAA'),
        ),
        received(
          announcedResult!.type,
          announcedResult!.text.replace(/("responding_supernode_signature_on_inference_result_id":")..../, '$1AAAA'),
        ),
        received(announcedResponse!.type, 'not json'),
        received(announcedResponse!.type, '{"a": 1}'),
        received(announcedResult!.type, '[]'),
        received(announcedResult!.type, `"${'x'.repeat(600_000)}"`),
      ];
      for (const message of bad) await other.receiver.handle(message);
      await refused(other.results.auditResponse(await signed(response.inference_response_id)), 'not-found', 'not found');
      expect(Number((await other.source.query('SELECT count(*) AS n FROM inference_announced_copies'))[0].n)).toBe(0);
      await other.source.destroy();
    });
  });
});
