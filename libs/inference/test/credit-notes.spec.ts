import 'reflect-metadata';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { testDatabases } from '../../../test/support/databases.js';
import { CreditNotesRepository } from '../src/credit-notes/credit-notes.repository.js';
import { noteFaults } from '../src/books/note-accounts.rules.js';
import { decoded, refused, stranger, user, useWorld, type World } from './inference-world.spec-suite.js';

describe.each(testDatabases())('credit notes on $name', (database) => {
  const here = useWorld(database);
  let world: World;
  let noteId: string;
  beforeEach(async () => {
    world = here.world;
    await world.paid(1, { sandbox_failure: 'refused' });
    await world.settle();
    [noteId] = (await world.creditNotes(user.pastelId)).map(({ credit_note_id }) => credit_note_id) as [string];
  });
  const left = async () => {
    const [found] = await world.redemptions.balancesOf(user.pastelId);
    return [found!.credits_open.value, found!.credits_held.value, found!.credits_redeemed.value];
  };
  const quoted = (parameters: object = {}) => world.with({ ...parameters, credit_note_id: noteId });
  const redeem = ({ request }: { request: { inference_request_id: string } }, caller = user) =>
    world.redemptions.redeem(request.inference_request_id, caller.pastelId);

  /** The notes agree with the requests that they paid. */
  async function expectBooks(): Promise<void> {
    const notes = new CreditNotesRepository(world.transactions);
    const faults = await world.transactions.read(async (m) => {
      const owed = new Map((await notes.owedOfAll(m)).map((note) => [note.credit_note_id, note.credits_owed.value * 10]));
      return noteFaults(await notes.accounts(m), owed, await notes.costsByNote(m));
    });
    expect(faults).toEqual([]);
  }

  test('a note pays a later request: nothing is burned, and the pack is not touched', async () => {
    const before = await world.balance();
    const quote = await quoted();
    expect(quote.response.request_confirmation_message_amount_in_patoshis).toBe(0);
    expect(quote.response.proposed_cost_of_request_in_inference_credits.text).toBe('1.2');
    expect(await left()).toEqual([0, 1.2, 0]);
    expect(await redeem(quote)).toEqual({ inference_request_id: quote.request.inference_request_id, credit_note_id: noteId });
    await redeem(quote);
    await world.settle();
    expect(decoded(await world.results.retrieve(quote.response.inference_response_id, user.pastelId))).toBe(
      'You said: Hello there',
    );
    expect(await left()).toEqual([0, 0, 1.2]);
    expect(await world.balance()).toEqual(before);
    await redeem(quote);
    await expectBooks();
    await refused(quoted(), 'bad-request', '0 are open in the note');
  });

  test('what the provider does not serve is open again, and no second note is written', async () => {
    const quote = await quoted({ sandbox_failure: 'refused' });
    await redeem(quote);
    await world.settle();
    expect(await world.state(quote.request.inference_request_id)).toBe('FAILED');
    expect(decoded(await world.results.retrieve(quote.response.inference_response_id, user.pastelId))).toMatchObject({
      error: { credit_note_id: noteId },
    });
    expect(await world.creditNotes(user.pastelId)).toHaveLength(1);
    expect(await left()).toEqual([1.2, 0, 0]);
    await expectBooks();
  });

  test('a quote that is not accepted in time lets go of the note', async () => {
    const quote = await quoted();
    world.ledger.tip += 20;
    await world.sweeps.confirmations.expireUnpaid();
    expect(await left()).toEqual([1.2, 0, 0]);
    await refused(redeem(quote), 'conflict', 'not accepted in time');
    await expectBooks();
  });

  test('an empty pack is no hindrance', async () => {
    const { availableTenths } = await world.balance();
    const all = await world.with({ number_of_tokens_to_generate: Math.floor((availableTenths / 10) * 850) });
    expect((await world.balance()).availableTenths).toBeLessThan(5);
    await redeem(await quoted());
    expect(all.response.inference_response_id).not.toBe('');
  });

  test('only its owner may spend it, for one request at a time, and never by a burn', async () => {
    await refused(world.with({ credit_note_id: 'x' }), 'bad-request', 'has no credit note x');
    await refused(world.with({ credit_note_id: 7 }), 'bad-request', 'credit_note_id');
    const quotes = await Promise.allSettled(Array.from({ length: 5 }, () => quoted()));
    expect(quotes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const quote = (
      quotes.find(({ status }) => status === 'fulfilled') as PromiseFulfilledResult<Awaited<ReturnType<typeof quoted>>>
    ).value;
    await refused(redeem(quote, stranger), 'forbidden', 'another PastelID');
    const byBurn = world.confirm(quote.request.inference_request_id, world.burn(9));
    await refused(byBurn, 'conflict', 'paid by a credit note');
    const ordinary = await world.quote();
    await refused(redeem(ordinary), 'conflict', 'paid by a burn');
    await expectBooks();
  });
});
