import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Supernode, SupernodeNetwork } from '#chain';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { LivenessProbe } from './peer-health.js';

let server: Server;
let calls = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    calls++;
    const [, behaviour] = request.url!.split('/');
    if (behaviour === 'hangs') return;
    response.writeHead(behaviour === 'fails' ? 500 : 200).end(behaviour === 'floods' ? 'x'.repeat(200_000) : 'nonsense');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test('who does not answer 200 in time is out; the node itself never is; a minute long nobody is asked again', async () => {
  const peers = ['answers', 'fails', 'hangs', 'floods', 'self'].map(
    (ipAddress) => ({ outpoint: ipAddress, ipAddress }) as Supernode,
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gone = { outpoint: 'gone', ipAddress: 'gone' } as Supernode;
  const network = {
    list: async () => [...peers, gone],
    self: async () => peers[4],
    urlOf: ({ ipAddress }: Supernode) => (ipAddress === 'gone' ? 'http://127.0.0.1:1' : `${url}/${ipAddress}`),
  } as unknown as SupernodeNetwork;
  const clock = new ManualClock();
  const health = new LivenessProbe(network, clock);
  const [one, other] = await Promise.all([health.unreachable(), health.unreachable()]);
  expect([...one].sort()).toEqual(['fails', 'floods', 'gone', 'hangs']);
  expect(other).toBe(one);
  expect(calls).toBe(4);
  clock.advance(59_000);
  expect(await health.unreachable()).toBe(one);
  clock.advance(2000);
  expect(await health.unreachable()).not.toBe(one);
});
