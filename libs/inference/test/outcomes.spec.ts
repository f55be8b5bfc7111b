import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Refusal } from '#protocol';
import { testDatabases } from '../../../test/support/databases.js';
import { decoded, user, useWorld, type World } from './inference-world.spec-suite.js';

/** The rows of the table in docs/outcomes.md. */
const outcomes = readFileSync('docs/outcomes.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && /\| (?:COMPLETED|FAILED) \|/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, does, told, attempts, state, credits, fallback]) => ({
    does: does!,
    sent: Object.fromEntries(told === '' ? [] : [told!.replaceAll('`', '').split('=')]) as Record<string, string>,
    attempts: Number(attempts),
    state: state!,
    credits: credits!,
    fallback: fallback!,
  }));

test('the table is read', () => expect(outcomes).toHaveLength(15));

describe.each(testDatabases())('outcomes on $name', (database) => {
  const here = useWorld(database);
  let world: World;
  beforeEach(() => {
    world = here.world;
  });

  /** Time goes on until the request has its end. */
  async function end(requestId: string, told: Record<string, string>): Promise<string> {
    const hangs = ['stall', 'deaf'].includes(told['sandbox_failure'] ?? '');
    for (let attempt = 1; attempt <= 4; attempt++) {
      const waits = world.clock.waits;
      await world.sweeps.executions.sweep(world.clock.now());
      if (hangs && attempt === 1) {
        await world.waiting(waits + 1);
        world.clock.advance(600_000);
      }
      await world.sweeps.executions.idle();
      if ((await world.state(requestId)) !== 'CONFIRMED') break;
      world.clock.advance(100_000);
    }
    return world.state(requestId);
  }
  const statusOf = (id: string) => world.results.status(id, user.pastelId);

  test.each(outcomes)('a provider that $does', async ({ sent, attempts, state, credits }) => {
    const { request, response } = await world.paid(1, sent);
    expect(await end(request.inference_request_id, sent)).toBe(state);
    expect((await statusOf(request.inference_request_id)).attempts).toBe(attempts);
    const result = decoded(await world.results.retrieve(response.inference_response_id, user.pastelId));
    const notes = await world.creditNotes(user.pastelId);
    if (credits === 'served') {
      expect([result, notes]).toEqual(['You said: Hello there', []]);
      return;
    }
    expect(notes).toHaveLength(1);
    expect(notes[0]!.credits_owed.text).toBe(response.proposed_cost_of_request_in_inference_credits.text);
    expect(result).toMatchObject({ error: { credit_note_id: notes[0]!.credit_note_id } });
  });

  test.each(outcomes.filter(({ fallback }) => fallback !== 'not needed'))(
    'with a fallback, a provider that $does: $fallback',
    async ({ sent, fallback }) => {
      const { request } = await world.paid(1, { ...sent, fallback_models: ['sandbox-spare'] });
      expect(await end(request.inference_request_id, sent)).toBe(fallback === 'serves' ? 'COMPLETED' : 'FAILED');
      expect((await statusOf(request.inference_request_id)).model).toBe(fallback === 'serves' ? 'sandbox-spare' : 'sandbox-echo');
      expect(await world.creditNotes(user.pastelId)).toHaveLength(fallback === 'serves' ? 0 : 1);
    },
  );

  test('nothing dearer, unknown or without limit is fallen back on', async () => {
    const refusal = async (parameters: object): Promise<string> => {
      const error: unknown = await world.with(parameters).catch((refused: unknown) => refused);
      if (!(error instanceof Refusal)) throw new Error('was not refused');
      return error.message;
    };
    expect(await refusal({ fallback_models: 'nobody' })).toContain("'nobody'");
    expect(await refusal({ fallback_models: ['a', 'b', 'c', 'd'] })).toContain('fallback_models');
    expect(await refusal({ fallback_models: { a: 1 } })).toContain('fallback_models');
    const work = world.quote({
      requested_model_canonical_string: 'sandbox-spare',
      model_parameters_json_b64: Buffer.from('{"fallback_models": "sandbox-echo"}').toString('base64'),
    });
    await expect(work).rejects.toThrow('sandbox-echo would cost 1.2 credits');
  });

  test('while the circuit is open nothing is sent and nothing is sold; then one request tries, and all is well again', async () => {
    const good = await world.quote();
    // One after the other: the fifth failure opens it, and the attempt that is left is not due before it may be tried again.
    for (const [n, pauses] of [
      [5_000, 20_000, 0],
      [5_000, 0],
    ].entries()) {
      await world.paid(n + 1, { sandbox_failure: 'unavailable' });
      for (const pause of pauses) {
        await world.settle();
        world.clock.advance(pause);
      }
    }
    const id = good.request.inference_request_id;
    await world.confirm(id, world.burn(3));
    await world.settle();
    expect(await statusOf(id)).toMatchObject({ state: 'CONFIRMED', attempts: 0 });
    await expect(world.quote()).rejects.toMatchObject({ code: 'unavailable' });
    world.clock.advance(15_000);
    await world.settle();
    expect(await statusOf(id)).toMatchObject({ state: 'COMPLETED', attempts: 1 });
    await world.quote();
  });

  test('what waits too long for a provider that stays away ends with a credit note', async () => {
    const waiting = await world.quote();
    await world.paid(1, { sandbox_failure: 'misconfigured' });
    await world.settle();
    const id = waiting.request.inference_request_id;
    await world.confirm(id, world.burn(2));
    world.clock.advance(200_000);
    await world.settle();
    expect(await world.state(id)).toBe('CONFIRMED');
    world.clock.advance(1_800_000);
    // Somebody else is trying it just now.
    world.gate.enter('sandbox');
    await world.settle();
    expect(await statusOf(id)).toMatchObject({ state: 'FAILED', attempts: 0, detail: 'The model service stayed away' });
    expect(await world.creditNotes(user.pastelId)).toHaveLength(2);
  });
});
