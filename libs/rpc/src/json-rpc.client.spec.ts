import { afterEach, describe, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { ChainRefusal, ChainUnavailable } from '#chain';
import { drop, hang, PASSWORD, raw, refusal, rpcWith, type Answers } from './fake-pasteld.spec-suite.js';
import type { JsonRpcOptions } from './json-rpc.client.js';
import { UnreadableReply } from './reply.js';
import { PslAmount } from './rpc-json.js';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});
async function pasteld(answers: Answers, options?: Partial<JsonRpcOptions>) {
  const fake = await rpcWith(answers, options);
  open.push(fake.close);
  return fake;
}
const failure = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => new Error('no failure'),
    (error: unknown) => error as Error,
  );
/** Each call takes the next answer; the last stays. */
const inTurn =
  (...answers: unknown[]) =>
  () =>
    answers.length > 1 ? answers.shift() : answers[0];

describe('a call', () => {
  test('leads with its sub-commands and carries exact amounts and raw credentials', async () => {
    const { rpc, calls } = await pasteld({ 'tickets find contract': () => 'Key is not found', sendtoaddress: () => 'ab' });
    expect((await rpc.call('tickets find contract', ['key'])).text).toBe('Key is not found');
    await rpc.call('sendtoaddress', ['44x', new PslAmount(1), 'note']);
    expect(calls[0]!.params).toEqual(['key']);
    expect(calls[1]!.text).toContain('"params":["44x",0.00001,"note"]');
    expect(calls[0]!.request.headers.authorization).toBe(`Basic ${Buffer.from(`us:er:${PASSWORD}`).toString('base64')}`);
    expect(calls[0]!.request.url).toBe('/');
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 60])('sends no amount of %p patoshis', (patoshis) => {
    expect(() => new PslAmount(patoshis)).toThrow(RangeError);
  });

  test.each([
    [500, -5, 'Block not found'],
    [404, -32601, 'Method not found'],
    [400, -32600, 'Params must be an array'],
    [200, -8, 'odd, but an error all the same'],
  ])('reads the error that comes with %p', async (status, code, message) => {
    const { rpc, calls, clock } = await pasteld({ getblock: () => refusal(code, message, status) });
    expect(await failure(rpc.call('getblock', ['x']))).toMatchObject({ name: 'ChainRefusal', code, message, method: 'getblock' });
    expect([calls.length, clock.waits]).toEqual([1, []]);
  });

  test('numbers keep every digit', async () => {
    const { rpc } = await pasteld({ getbalance: () => raw(200, '{"result":12345678901.23456,"error":null,"id":1}') });
    expect((await rpc.call('getbalance')).patoshis).toBe(1234567890123456);
  });

  test('a reply that cannot be parsed is said to be so, and is not asked for again', async () => {
    const { rpc, calls } = await pasteld({ getinfo: () => raw(200, '{"result":') });
    expect(await failure(rpc.call('getinfo'))).toBeInstanceOf(UnreadableReply);
    expect(calls).toHaveLength(1);
  });
});

describe('when no answer comes', () => {
  test.each([
    ['a cut line', () => drop],
    ['the answer to another call', () => raw(200, '{"result":7,"error":null,"id":7000}')],
    ['warming up', () => refusal(-28, 'Loading block index...')],
    ['a full work queue', () => raw(500, 'Work queue depth exceeded')],
  ])('idempotent calls are repeated after %s', async (_name, lost) => {
    const { rpc, calls, clock } = await pasteld({ getblockcount: inTurn(lost(), lost(), 7) });
    expect((await rpc.call('getblockcount')).integer).toBe(7);
    expect([calls.length, clock.waits]).toEqual([3, [500, 2000]]);
    expect(rpc.counts.get('getblockcount')).toEqual({ calls: 1, refused: 0, unavailable: 0, retried: 2 });
  });

  test('and given up after the third', async () => {
    const { rpc, calls } = await pasteld({ getblockcount: () => drop });
    expect(await failure(rpc.call('getblockcount'))).toBeInstanceOf(ChainUnavailable);
    expect(calls).toHaveLength(3);
  });

  test.each([
    'sendtoaddress',
    'sendmany',
    'tickets register contract',
    'tickets register id',
    'masternode message send',
    'pastelid newkey',
    'getnewaddress',
  ])('%s is never repeated', async (method) => {
    const { rpc, calls } = await pasteld({ [method]: () => drop });
    expect(await failure(rpc.call(method, ['x', 'y']))).toBeInstanceOf(ChainUnavailable);
    expect(calls).toHaveLength(1);
  });

  test.each([
    [401, 'RPC_PASSWORD'],
    [403, 'rpcallowip'],
  ])('%p is not repeated and says what to do', async (status, hint) => {
    const { rpc, calls } = await pasteld({ getblockcount: () => raw(status, '') });
    expect((await failure(rpc.call('getblockcount'))).message).toContain(hint);
    expect(calls).toHaveLength(1);
  });

  test('a call ends in time', async () => {
    const { rpc } = await pasteld({ sendmany: () => hang }, { timeoutMs: 50 });
    expect((await failure(rpc.call('sendmany'))).message).toContain('no answer within 0.05 s');
  });
});

describe('secrets', () => {
  test('stand in no error: neither credentials nor passphrases, whatever pasteld repeats', async () => {
    const passphrase = 'pass phrase';
    const { rpc } = await pasteld({
      'pastelid sign': () => refusal(-1, `usage: pastelid sign text id "${passphrase}" for ${PASSWORD}`),
      'pastelid newkey': () => drop,
    });
    for (const method of ['pastelid sign', 'pastelid newkey']) {
      const shown = inspect(await failure(rpc.call(method, ['text', passphrase], { secrets: [passphrase] })), {
        depth: 9,
        showHidden: true,
      });
      expect(shown).toContain(method);
      expect(shown).not.toContain(passphrase);
      expect(shown).not.toContain(PASSWORD);
      expect(shown).not.toContain(Buffer.from(`us:er:${PASSWORD}`).toString('base64'));
    }
    expect([...rpc.counts.keys()]).toEqual(['pastelid sign', 'pastelid newkey']);
  });
});

describe('the limit', () => {
  test('so many calls at a time; all are answered', async () => {
    let [now, most] = [0, 0];
    const { rpc } = await pasteld(
      {
        getblockcount: async () => {
          most = Math.max(most, ++now);
          await new Promise((resolve) => setImmediate(resolve));
          now--;
          return 1;
        },
      },
      { concurrentRequestsMax: 3 },
    );
    await Promise.all(Array.from({ length: 30 }, () => rpc.call('getblockcount')));
    expect(most).toBeLessThanOrEqual(3);
    expect(rpc.counts.get('getblockcount')!.calls).toBe(30);
  });

  test('is not held while a call backs off', async () => {
    let resume = (): void => undefined;
    const { rpc, clock } = await pasteld({ getblockcount: inTurn(drop, 5), getinfo: () => 1 }, { concurrentRequestsMax: 1 });
    const backingOff = new Promise<void>((backs) => {
      clock.wait = () => (backs(), new Promise((resolve) => (resume = resolve)));
    });
    const slow = rpc.call('getblockcount');
    await backingOff;
    expect((await rpc.call('getinfo')).integer).toBe(1);
    resume();
    expect((await slow).integer).toBe(5);
  });
});

test('ChainRefusal and ChainUnavailable are told apart by class', () => {
  expect(new ChainRefusal(1, 'm', 'x')).not.toBeInstanceOf(ChainUnavailable);
});
