import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Supernode, SupernodeNetwork } from '#chain';
import { SystemEntropy } from '#config';
import { openTestDatabase, testDatabases } from '../../../test/support/databases.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { statedFigures } from './liveness-answer.rules.js';
import { MeasuredPeerHealth } from './peer-health.js';
import { PeerProbe } from './peer-probe.js';
import { PeersRepository } from './peers.repository.js';
import { entities } from './reputation.entities.js';
import { StandingRepository } from './standing.repository.js';
import { StandingService } from './standing.service.js';

const ALIVE = { status: 'alive', timestamp: '2026-01-05T12:00:00+00:00' };
const ANSWERS: Record<string, () => string> = {
  answers: () => JSON.stringify({ ...ALIVE, raw_benchmark_score: '1280', performance_ratio_score: 80.25 }),
  modest: () => JSON.stringify({ ...ALIVE, raw_benchmark_score: null, performance_ratio_score: 'NaN' }),
  nonsense: () => '[1, 2',
  timeless: () => JSON.stringify({ status: 'alive' }),
  floods: () => 'x'.repeat(200_000),
};
let server: Server;
let calls = 0;
let isDown = false;
beforeAll(async () => {
  server = createServer((request, response) => {
    calls++;
    const [, behaviour] = request.url!.split('/');
    if (behaviour === 'hangs') return;
    response.writeHead(behaviour === 'fails' || isDown ? 500 : 200).end(ANSWERS[behaviour!]?.() ?? '');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const peer = (name: string) => ({ outpoint: `${name}-0`, ipAddress: name, pastelId: `jX${name}` }) as Supernode;
const peers = ['answers', 'modest', 'fails', 'hangs', 'floods', 'nonsense', 'timeless', 'self'].map(peer);

describe.each(testDatabases())('the health of peers on $name', (database) => {
  async function measured() {
    const { source, transactions } = await openTestDatabase(database, entities);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const network = {
      list: async () => [...peers, peer('gone')],
      self: async () => peers.at(-1),
      urlOf: ({ ipAddress }: Supernode) => (ipAddress === 'gone' ? 'http://127.0.0.1:1' : `${url}/${ipAddress}`),
    } as unknown as SupernodeNetwork;
    const clock = new ManualClock();
    const states = new PeersRepository(transactions);
    const standings = new StandingService(new StandingRepository(transactions), states, network, clock);
    const health = new MeasuredPeerHealth(new PeerProbe(network), states, standings, clock, new SystemEntropy());
    return { source, clock, states, standings, health };
  }

  test('who gives no liveness answer in time is out; the node itself never is; a minute long nobody is asked again', async () => {
    const { source, clock, health, states } = await measured();
    calls = 0;
    const [one, other] = await Promise.all([health.unreachable(), health.unreachable()]);
    expect([...one].sort()).toEqual(['fails', 'floods', 'gone', 'hangs', 'nonsense', 'timeless']);
    expect(other).toBe(one);
    expect(calls).toBe(7);
    clock.advance(59_000);
    expect(await health.unreachable()).toBe(one);
    clock.advance(2000);
    expect(await health.unreachable()).not.toBe(one);

    const stored = await states.states();
    expect(stored).toHaveLength(8);
    expect(stored[0]).toMatchObject({
      ip_address: 'answers',
      pastelid: 'jXanswers',
      answers: true,
      stated_score: 1280,
      stated_ratio_hundredths: 8025,
    });
    expect(stored[1]).toMatchObject({ ip_address: 'modest', answers: true, stated_score: null, stated_ratio_hundredths: null });
    expect(stored.slice(2).every(({ answers, answered_at_ms }) => !answers && answered_at_ms === null)).toBe(true);
    expect((await states.counts()).find(({ outpoint }) => outpoint === 'answers-0')).toMatchObject({ asked: 2, answered: 2 });
    expect((await states.counts()).find(({ outpoint }) => outpoint === 'hangs-0')).toMatchObject({ asked: 2, answered: 0 });
    await source.destroy();
  });

  test('where nobody answers, nothing is held against anybody: the own line is down', async () => {
    const { source, health, states } = await measured();
    isDown = true;
    expect([...(await health.unreachable())]).toEqual([]);
    isDown = false;
    expect(await states.counts()).toEqual([]);
    await source.destroy();
  });

  test('sweeps ask when they are due, score every listed supernode, and forget after three days', async () => {
    const { source, clock, health, states, standings } = await measured();
    calls = 0;
    await health.sweep(clock.now());
    await health.sweep(clock.now());
    expect(calls).toBe(7);
    const [up, down] = [await standings.reputation('jXanswers'), await standings.reputation('jXhangs')];
    expect(up.reputation_score).toBeGreaterThan(down.reputation_score);
    expect(down.liveness).toEqual({ share: 0, asked: 1, answered: 0 });
    await expect(standings.reputation('jXnobody')).rejects.toMatchObject({ code: 'not-found' });

    clock.advance(73 * 3_600_000);
    await health.sweep(clock.now());
    expect(calls).toBe(14);
    expect((await states.hours()).map(({ asked }) => asked)).toEqual([8]);
    await source.destroy();
  });
});

test('whatever a peer answers, the figures are numbers within bounds or null', () => {
  const value = fc.anything({ withNullPrototype: false, maxDepth: 2 });
  fc.assert(
    fc.property(value, value, (score, ratio) => {
      const text = JSON.stringify({ ...ALIVE, raw_benchmark_score: score, performance_ratio_score: ratio });
      for (const figure of Object.values(statedFigures(text)!)) {
        expect(figure === null || (figure >= 0 && figure <= 1_000_000)).toBe(true);
      }
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void statedFigures(text)));
});
