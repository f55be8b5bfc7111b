import { afterEach, describe, expect, test } from '@jest/globals';
import { drop, refusal, rpcWith, type Answers } from './fake-pasteld.spec-suite.js';
import { JsonRpcSupernodeNetwork, type SupernodeNetworkOptions } from './json-rpc.supernode-network.js';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});
const line = (status: string, service: string) =>
  `${status.padStart(18)} 170012 44oPayee 1731000000  8640000          0      0 ${service}`;
const lists: Answers = {
  'masternodelist full': () => ({
    'aa-0': line('ENABLED', '10.0.0.1:29933'), 'bb-1': line('PRE_ENABLED', '10.0.0.2:29934'), 'cc-0': line('EXPIRED', '10.0.0.3:29933'), 'dd-0': 'ENABLED 1 2', 'ee-0': line('ENABLED', 'nowhere'),
  }),
  'masternodelist rank': () => ({ 'aa-0': 2 }),
  'masternodelist pubkey': () => ({ 'aa-0': '04ab', 'bb-1': '04cd' }),
  'masternodelist extra': () => ({ 'aa-0': { extAddress: '10.0.0.1:4444', extP2P: '', extKey: 'jXa' }, 'bb-1': { extKey: '' } }),
}; // prettier-ignore
async function network(answers: Answers = {}, options: Partial<SupernodeNetworkOptions> = {}) {
  const fake = await rpcWith({ ...lists, ...answers });
  open.push(fake.close);
  return {
    ...fake,
    network: new JsonRpcSupernodeNetwork(fake.rpc, fake.clock, {
      listMaxAgeMs: 60_000,
      apiPort: 7123,
      pastelId: undefined,
      ...options,
    }),
  };
}

describe('the list', () => {
  test('joins four replies and keeps the enabled rows that can be read', async () => {
    const { network: supernodes } = await network();
    expect(await supernodes.list()).toEqual([
      { outpoint: 'aa-0', status: 'ENABLED', protocolVersion: '170012', pslAddress: '44oPayee', lastSeen: 1731000000, activeSeconds: 8640000, lastPaid: 0, lastPaidBlock: 0, ipAddress: '10.0.0.1', port: 29933, rank: 2, pubkey: '04ab', extAddress: '10.0.0.1:4444', pastelId: 'jXa' },
      { outpoint: 'bb-1', status: 'PRE_ENABLED', protocolVersion: '170012', pslAddress: '44oPayee', lastSeen: 1731000000, activeSeconds: 8640000, lastPaid: 0, lastPaidBlock: 0, ipAddress: '10.0.0.2', port: 29934, pubkey: '04cd' },
    ]); // prettier-ignore
  });

  test('is fetched once for all who ask, and again when it is old or told to', async () => {
    const { network: supernodes, calls, clock } = await network();
    await Promise.all(Array.from({ length: 20 }, () => supernodes.list()));
    expect(calls).toHaveLength(4);
    clock.pass(59_999);
    await supernodes.list();
    expect(calls).toHaveLength(4);
    clock.pass(1);
    await supernodes.list();
    expect(calls).toHaveLength(8);
    await supernodes.refresh();
    expect(calls).toHaveLength(12);
  });

  test('is served stale while pasteld is away, which is not asked at every turn', async () => {
    let away = false;
    const {
      network: supernodes,
      calls,
      clock,
    } = await network({ 'masternodelist full': (call) => (away ? refusal(-1, 'syncing') : lists['masternodelist full']!(call)) });
    await supernodes.list();
    away = true;
    clock.pass(60_000);
    expect(await supernodes.list()).toHaveLength(2);
    const asked = calls.length;
    expect(await supernodes.list()).toHaveLength(2);
    expect(calls).toHaveLength(asked);
    clock.pass(10_000);
    expect(await supernodes.list()).toHaveLength(2);
    expect(calls.length).toBeGreaterThan(asked);
  });

  test('that is empty, or was never had, is an error', async () => {
    const { network: supernodes } = await network({ 'masternodelist full': () => ({}) });
    await expect(supernodes.list()).rejects.toThrow('still syncing');
    const { network: dark } = await network({ 'masternodelist rank': () => drop });
    await expect(dark.list()).rejects.toThrow('did not answer');
  });
});

describe('self', () => {
  test('is the configured PastelID, or what pasteld says, or nobody', async () => {
    const configured = await network({}, { pastelId: 'jXa' });
    expect((await configured.network.self())?.outpoint).toBe('aa-0');
    const asked = await network({ 'masternode status': () => ({ outpoint: 'bb-1', service: 'x', status: 'y' }) });
    expect((await asked.network.self())?.outpoint).toBe('bb-1');
    await asked.network.self();
    expect(asked.calls.filter(({ method }) => method === 'masternode status')).toHaveLength(1);
    const nobody = await network({ 'masternode status': () => refusal(-32603, 'This is not a masternode') });
    expect(await nobody.network.self()).toBeUndefined();
  });
});

test('a peer is found under the one port of the network, or the listed one', async () => {
  const [fixed, listed] = [await network(), await network({}, { apiPort: 'listed' })];
  const [first] = await fixed.network.list();
  expect([fixed.network.urlOf(first!), listed.network.urlOf(first!)]).toEqual(['http://10.0.0.1:7123', 'http://10.0.0.1:29933']);
});

test('the inbox: one odd item does not stop the others', async () => {
  const good = { From: 'aa-0', To: 'bb-1', Timestamp: 1731000000, Message: 'KLUv' };
  const { network: supernodes } = await network({
    'masternode message list': () => [{ id1: good }, null, { id2: { ...good, Timestamp: 'noon' } }, { id3: good, id4: good }],
  });
  expect((await supernodes.inbox()).map(({ id, text }) => [id, text])).toEqual([
    ['id1', 'KLUv'],
    ['id3', 'KLUv'],
    ['id4', 'KLUv'],
  ]);
});
