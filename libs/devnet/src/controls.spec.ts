import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { networks } from '#protocol';
import { ChainRefusal, ChainUnavailable } from '#chain';
import { DevnetChain } from './ports.js';
import { post, serve, testOptions, type Served } from './support.spec-suite.js';

const BURN = networks.devnet.burnAddress;
let served: Served;
beforeEach(async () => {
  served = await serve({ supernodes: testOptions().supernodes.slice(0, 2) });
});
afterEach(() => served.close());

describe('a reorganisation', () => {
  test('replaces blocks; what they held waits again and is mined anew', async () => {
    const { user, devnet } = served;
    const txid = await user.call('sendtoaddress', BURN, 2);
    const [first, second] = devnet.generate(2) as [string, string];
    const height = devnet.state.ledger.height;
    const tip = await user.call('devnet', 'reorganise', 2);
    expect(await user.call('getbestblockhash')).toBe(tip);
    expect(devnet.state.ledger.height).toBe(height + 1);
    expect([first, second]).not.toContain(await user.call('getblockhash', height - 1));
    expect(await user.call('getblock', first)).toMatchObject({ confirmations: -1, hash: first });
    expect(await user.call('gettransaction', txid)).toMatchObject({ confirmations: 3 });
    expect((await user.call('getblock', String(height - 1))).tx).toContain(txid);
    expect(await new DevnetChain(devnet, 'devnet').block(second)).toBeUndefined();
  });

  test('can leave them waiting, or lose some with all that spends them', async () => {
    const { user, devnet } = served;
    const own = await user.call('getnewaddress');
    const balance = await user.call('getbalance');
    const lost = await user.call('sendtoaddress', own, 5);
    const child = await user.call('sendmany', '', { [BURN]: 1 }, 0, '', [''], own);
    const kept = await served.node.call('sendtoaddress', BURN, 3);
    devnet.generate();
    devnet.controls.reorganise(1, { keepWaiting: true });
    expect((await user.call('getrawmempool')).sort()).toEqual([lost, child, kept].sort());
    expect(await user.call('getaddressbalance', { addresses: [BURN] })).toMatchObject({ balance: 0 });
    devnet.generate();
    devnet.controls.reorganise(1, { drop: [lost] });
    expect(await user.call('getrawmempool')).toEqual([]);
    for (const gone of [lost, child]) expect(await user.refusal('getrawtransaction', gone, 1)).toMatchObject({ code: -5 });
    expect(await user.call('getaddressbalance', { addresses: [BURN] })).toMatchObject({ balance: 300_000 });
    expect(await user.call('getaddresstxids', { addresses: [own] })).toEqual([]);
    expect(await user.call('getbalance')).toBe(balance);
  });

  test('takes tickets back too, so that their keys are free again', async () => {
    const { node, peer, devnet } = served;
    const { txid } = await node.call('tickets', 'register', 'contract', 'e30=', 'PACK', 'key');
    devnet.generate();
    devnet.controls.reorganise(1, { drop: [txid] });
    expect(await node.call('tickets', 'find', 'contract', 'key')).toBe('Key is not found');
    expect(await peer.call('tickets', 'register', 'contract', 'e30=', 'PACK', 'key')).toHaveProperty('txid');
  });

  test('goes no deeper than the chain has blocks of its own', async () => {
    expect(await served.user.refusal('devnet', 'reorganise', 10_000)).toMatchObject({ code: -8 });
    expect(await served.user.refusal('devnet', 'nonsense')).toMatchObject({ code: -8 });
  });
});

describe('a waiting transaction', () => {
  test('can be dropped; its coins are free again', async () => {
    const { user } = served;
    const balance = await user.call('getbalance');
    const txid = await user.call('sendtoaddress', BURN, 2);
    expect(await user.call('devnet', 'droptransaction', txid)).toBe(true);
    expect(await user.call('devnet', 'droptransaction', txid)).toBe(false);
    expect(await user.call('getbalance')).toBe(balance);
    served.devnet.generate();
    expect(await user.refusal('gettransaction', txid)).toMatchObject({ code: -5 });
  });

  test('can be outrun by another that spends its coin', async () => {
    const { user } = served;
    const txid = await user.call('sendtoaddress', BURN, 2);
    const rival = await user.call('devnet', 'doublespend', txid);
    expect(await user.call('gettransaction', rival)).toMatchObject({ confirmations: 1 });
    expect(await user.refusal('getrawtransaction', txid)).toMatchObject({ code: -5 });
    expect(await user.call('getrawmempool')).toEqual([]);
    expect(await user.refusal('devnet', 'doublespend', txid)).toMatchObject({ code: -5 });
  });
});

describe('faults', () => {
  const info = JSON.stringify({ method: 'getinfo', id: 1 });

  test('come as often as they were asked for, for the method and the credential', async () => {
    const { user, node, devnet } = served;
    devnet.faults.failNext(
      'tickets register contract',
      1,
      { kind: 'error', code: -28, message: 'Loading block index...' },
      'sn1',
    );
    expect(await user.call('tickets', 'list', 'contract')).toEqual([]);
    expect(await served.peer.call('tickets', 'register', 'contract', 'e30=', 'A', 'a')).toHaveProperty('txid');
    expect(await node.refusal('tickets', 'register', 'contract', 'e30=', 'A', 'b')).toMatchObject({ status: 500, code: -28 });
    expect(await node.call('tickets', 'register', 'contract', 'e30=', 'A', 'b')).toHaveProperty('txid');
  });

  test('may be no JSON, a broken connection, or an answer that is lost after the work', async () => {
    const { user, url } = served;
    await user.call('devnet', 'failnext', 'getinfo', 1, { kind: 'http-500' });
    expect(await post(url, info)).toMatchObject({ status: 500, text: 'Internal Server Error' });
    await user.call('devnet', 'failnext', 'getinfo', 2, { kind: 'reset' });
    for (let i = 0; i < 2; i++) await expect(post(url, info)).rejects.toThrow();
    expect((await post(url, info)).status).toBe(200);
    await user.call('devnet', 'failnext', 'sendtoaddress', 1, { kind: 'lost-answer' });
    await expect(user.call('sendtoaddress', BURN, 1)).rejects.toThrow();
    expect(await user.call('getrawmempool')).toHaveLength(1);
  });

  test('may be silence, until the server closes', async () => {
    const { user, url } = served;
    await user.call('devnet', 'failnext', '*', 1, { kind: 'hang' });
    const hanging = fetch(url, {
      method: 'POST',
      body: info,
      headers: { authorization: `Basic ${btoa('devnet:devnet')}` },
      signal: AbortSignal.timeout(200),
    });
    await expect(hanging).rejects.toThrow();
    expect((await post(url, info)).status).toBe(200);
    await user.call('devnet', 'failnext', 'getinfo', 5, { kind: 'hang' });
    await user.call('devnet', 'clear');
    expect((await post(url, info)).status).toBe(200);
  });

  test('reach the ports of the same process', async () => {
    const chain = new DevnetChain(served.devnet, 'sn1');
    served.devnet.faults.failNext('getblockcount', 1, { kind: 'hang' });
    await expect(chain.height()).rejects.toThrow(ChainUnavailable);
    served.devnet.faults.failNext('getblockcount', 1, { kind: 'error', code: -1, message: 'no' });
    await expect(chain.height()).rejects.toThrow(ChainRefusal);
    expect(await chain.height()).toBe(served.devnet.state.ledger.height);
  });
});
