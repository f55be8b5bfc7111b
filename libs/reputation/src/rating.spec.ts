import 'reflect-metadata';
import { describe, expect, test } from '@jest/globals';
import type { Supernode, SupernodeNetwork } from '#chain';
import { identityFromSeed, pooledChecking, ratingText, type Signing } from '#protocol';
import { openTestDatabase, testDatabases } from '../../../test/support/databases.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { CompletedRequests, type CompletedRequest } from './completed-requests.js';
import { PeersRepository } from './peers.repository.js';
import type { RatingInput } from './rating.input.js';
import { RatingService } from './rating.service.js';
import { entities } from './reputation.entities.js';
import { StandingRepository } from './standing.repository.js';
import { StandingService } from './standing.service.js';

const [owner, other, supernode] = [1, 2, 3].map((n) => identityFromSeed(Buffer.alloc(57, n))) as [Signing, Signing, Signing];
const HASH = 'a'.repeat(64);
const idOf = (n: number): string => `6f1c1a54-0f5e-4b8e-9c53-${n.toString(16).padStart(12, '0')}`;
const DAY_MS = 86_400_000;

/** Requests 0 to 9 of one pack, 10 to 19 of another; all of the same owner, on the one supernode. */
class Requests extends CompletedRequests {
  find(id: string, supernodePastelId: string): Promise<CompletedRequest | undefined> {
    const n = parseInt(id.slice(-12), 16);
    const known = { inferenceResponseId: id, ownerPastelId: owner.pastelId, packTxid: n < 10 ? 'one' : 'two', resultHash: HASH };
    return Promise.resolve(n < 20 && supernodePastelId === supernode.pastelId ? known : undefined);
  }
}

async function ratingOf(n: number, score: number, resultHash?: string, who = owner): Promise<RatingInput> {
  const claim = { supernodePastelId: supernode.pastelId, inferenceId: idOf(n), score, ...(resultHash && { resultHash }) };
  return {
    supernode_pastelid: supernode.pastelId,
    reputation_score: score,
    pastelid: who.pastelId,
    inference_response_id: idOf(n),
    ...(resultHash && { inference_result_hash: resultHash }),
    signature: await who.sign(ratingText(claim)),
  };
}

describe.each(testDatabases())('ratings on $name', (database) => {
  async function open() {
    const { source, transactions } = await openTestDatabase(database, entities);
    const clock = new ManualClock();
    const listed = [{ outpoint: 'a-0', pastelId: supernode.pastelId }] as Supernode[];
    const network = { list: async () => listed } as unknown as SupernodeNetwork;
    const repository = new StandingRepository(transactions);
    const standings = new StandingService(repository, new PeersRepository(transactions), network, clock);
    const ratings = new RatingService(new Requests(), repository, standings, pooledChecking, clock);
    return { source, clock, standings, ratings, reputation: () => standings.reputation(supernode.pastelId) };
  }

  test('one rating of each request, however often and however much at once it comes', async () => {
    const { source, ratings, reputation } = await open();
    const rating = await ratingOf(0, 4.5);
    const answers = await Promise.all(Array.from({ length: 10 }, () => ratings.rate(rating)));
    expect(answers.every(({ is_updated }) => is_updated)).toBe(true);
    const rivals = await Promise.allSettled([1, 2, 3, 4].map(async (score) => ratings.rate(await ratingOf(1, score))));
    expect(rivals.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const { reason } of rivals.filter((r) => r.status === 'rejected')) expect(reason).toMatchObject({ code: 'conflict' });
    expect((await reputation()).rating.voices).toBe(1);
    await source.destroy();
  });

  test('each pack is one voice, however many requests it paid for', async () => {
    const { source, ratings, reputation } = await open();
    for (let n = 0; n < 10; n++) await ratings.rate(await ratingOf(n, 5));
    await ratings.rate(await ratingOf(10, 1));
    expect((await reputation()).rating).toEqual({ mean: 3, voices: 2 });
    await source.destroy();
  });

  test('a result that is not the announced one weighs on the score', async () => {
    const { source, ratings, reputation } = await open();
    await ratings.rate(await ratingOf(0, 3, HASH));
    const before = await reputation();
    expect(before.audit).toEqual({ agreeing: 1, differing: 0 });
    await ratings.rate(await ratingOf(1, 3, 'b'.repeat(64)));
    expect((await reputation()).audit).toEqual({ agreeing: 1, differing: 1 });
    expect((await reputation()).reputation_score).toBeLessThan(before.reputation_score);
    await source.destroy();
  });

  test('only the owner of a request that is known, and never the supernode itself', async () => {
    const { source, ratings, reputation } = await open();
    await expect(ratings.rate(await ratingOf(0, 5, undefined, other))).rejects.toMatchObject({ code: 'forbidden' });
    await expect(ratings.rate(await ratingOf(0, 5, undefined, supernode))).rejects.toMatchObject({ code: 'forbidden' });
    await expect(ratings.rate(await ratingOf(99, 5))).rejects.toMatchObject({ code: 'not-found' });
    await expect(ratings.rate({ ...(await ratingOf(0, 5)), inference_result_hash: HASH })).rejects.toMatchObject({
      code: 'unauthorized',
    });
    const { signature: _, ...unsigned } = await ratingOf(0, 5);
    expect(await ratings.rate(unsigned)).toEqual({ is_updated: false });
    expect(await reputation()).toMatchObject({ rating: { mean: null, voices: 0 }, updated: null });
    await source.destroy();
  });

  test('ratings count for half a year', async () => {
    const { source, clock, ratings, standings, reputation } = await open();
    await ratings.rate(await ratingOf(0, 5));
    clock.advance(181 * DAY_MS);
    await standings.scoreListed(clock.now());
    await standings.scoreListed(clock.now());
    expect((await reputation()).rating).toEqual({ mean: null, voices: 0 });
    await source.destroy();
  });
});
