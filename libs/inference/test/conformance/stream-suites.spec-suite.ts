import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Outcome, ProviderFailure } from '../../src/providers/index.js';
import { EventReader } from '../../src/providers/kit/events.js';
import { filledIn, type Case, wireOf } from './fixtures.spec-suite.js';
import { assertOutcome, type Stand } from './stand.spec-suite.js';

const streamsOf = ({ fixtures, server }: Stand): readonly Case[] =>
  filledIn(fixtures.cases, server.url).filter(
    ({ exchanges, outcome }) => outcome && exchanges?.length === 1 && exchanges[0]!.reply.events,
  );

/** Pieces of a stream may end anywhere, within a line, an event or a character. */
const pieces = {
  name: 'stream pieces',
  async run(stand: Stand): Promise<number> {
    let looks = 0;
    for (const [i, each] of streamsOf(stand).entries()) {
      const { reply } = each.exchanges![0]!;
      const { body } = wireOf(stand.fixtures.folder, reply);
      assert(body.some((byte) => byte > 127) || i > 0, 'the first stream holds no character of several bytes');
      const plays = async (cut: (body: Buffer) => Buffer[]): Promise<void> => {
        assertOutcome(await stand.run(each, { http: stand.fromMemory(reply, cut) }), each.outcome!);
        looks++;
      };
      await plays((all) => [...all].map((byte) => Buffer.from([byte])));
      await plays((all) => [Buffer.from(all.toString().replaceAll('\n', '\r\n'))]);
      const some = fc.uniqueArray(fc.integer({ min: 1, max: body.length - 1 }), { maxLength: 20 });
      await fc.assert(
        fc.asyncProperty(some, (cuts) => plays((all) => splitAt(all, cuts))),
        { numRuns: i === 0 ? 20 : 3 },
      );
      looks += everyCut(body);
    }
    return looks;
  },
};
/** The events of a stream that is cut once, at every byte. */
function everyCut(body: Buffer): number {
  const eventsOf = (parts: readonly Buffer[]) => {
    const reader = new EventReader();
    return parts.flatMap((part) => reader.push(part));
  };
  const whole = eventsOf([body]);
  for (let at = 1; at < body.length; at++) assert.deepEqual(eventsOf(splitAt(body, [at])), whole, `cut at byte ${at}`);
  return body.length - 1;
}
function splitAt(body: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts].sort((a, b) => a - b);
  return [...ends, body.length].map((end, i) => body.subarray(ends[i - 1] ?? 0, end));
}

/** A stream that ends early is never taken for a whole answer. */
const endings = {
  name: 'stream endings',
  async run(stand: Stand): Promise<number> {
    let looks = 0;
    for (const each of streamsOf(stand)) {
      const events = each.exchanges![0]!.reply.events!;
      for (let kept = 0; kept < events.length; kept++) {
        const reply = { ...each.exchanges![0]!.reply, events: events.slice(0, kept) };
        const outcome = await stand.run(each, { http: stand.fromMemory(reply, (all) => [all]) }).catch((error: unknown) => error);
        if (outcome instanceof ProviderFailure) assert(outcome.retryable, 'a stream that broke is not to be repeated');
        else if (outcome instanceof Error) throw outcome;
        else assertOutcome({ ...(outcome as Outcome), usage: undefined }, { ...each.outcome!, usage: null });
        if (kept <= 1) assert(outcome instanceof ProviderFailure, 'a stream of nothing is taken for an answer');
        looks++;
      }
    }
    return looks;
  },
};

export const streamSuites = [pieces, endings];
