import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HandClock, post, serve, type Served } from './support.spec-suite.js';

const clock = new HandClock();
let served: Served;
beforeAll(async () => {
  served = await serve({ clock, controls: false });
});
afterAll(() => served.close());

const body = (method: unknown, params?: unknown, id: unknown = 1): string => JSON.stringify({ method, params, id });

describe('HTTP', () => {
  test('a call is answered in one line, with its id and never a jsonrpc member', async () => {
    const { status, text, headers } = await post(served.url, body('getblockcount', [], 'abc'));
    expect([status, text]).toEqual([200, `{"result":${served.devnet.state.ledger.height},"error":null,"id":"abc"}\n`]);
    expect(headers.get('content-type')).toBe('application/json');
  });

  test('other paths and methods are none of its business', async () => {
    expect((await post(served.url, body('getinfo'), 'devnet:devnet', '/wallet')).status).toBe(404);
    const got = await fetch(served.url);
    expect([got.status, await got.text()]).toEqual([405, 'JSONRPC server handles only POST requests']);
    expect((await fetch(served.url, { method: 'DELETE' })).status).toBe(405);
  });

  test.each(['', 'devnet:wrong', 'nobody:devnet', 'sn1:secret2'])('credentials %p are not enough', async (credentials) => {
    const answer = post(served.url, body('getinfo'), credentials);
    let done = false;
    const settled = answer.finally(() => (done = true));
    // A wrong password waits by the devnet's clock, which stands still.
    while (!done) {
      await clock.advance(250);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { status, text, headers } = await settled;
    expect([status, text, headers.get('www-authenticate')]).toEqual([401, '', 'Basic realm="jsonrpc"']);
  });

  test('each credential is a node of its own', async () => {
    const addresses = await Promise.all(
      [served.user, served.node, served.peer].map((caller) => caller.call('listaddressamounts')),
    );
    expect(new Set(addresses.flatMap((amounts) => Object.keys(amounts as object))).size).toBe(2 + 2 + 2);
    expect(await served.user.refusal('masternode', 'status')).toMatchObject({
      code: -32603,
      message: 'This is not a masternode',
    });
    expect((await served.node.call('masternode', 'status')).service).toBe('127.0.0.1:29933');
  });
});

describe('statuses and envelopes', () => {
  test.each([
    ['{', 500, -32700, 'Parse error'],
    ['12', 500, -32700, 'Top-level object parse error'],
    [body(undefined), 400, -32600, 'Missing method'],
    [body(12), 400, -32600, 'Method must be a string'],
    [body('getinfo', { a: 1 }), 400, -32600, 'Params must be an array'],
    [body('nosuchmethod'), 404, -32601, 'Method not found'],
    [body('devnet', ['clear']), 404, -32601, 'Method not found'],
    [body('getblockhash', ['1']), 500, -1, 'JSON value is not an integer as expected'],
    [body('getblockhash', [1e12]), 500, -1, 'JSON integer out of range'],
    [body('getblockhash', []), 500, -1, 'getblockhash height ( count )'],
    [body('pastelid', ['sign']), 500, -8, expect.stringContaining('pastelid')],
    [body('tickets', [5]), 500, -8, expect.stringContaining('Failed to parse RPC parameters')],
    [body('masternode', ['message', 'list']), 500, -32603, expect.stringContaining('only Masternode can send/sign')],
  ])('%s -> %s, %s', async (text, status, code, message) => {
    const answer = await post(served.url, text);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ result: null, error: { code, message } });
  });

  test('params may be absent or null; version members do not matter', async () => {
    for (const extra of [{}, { params: null }, { version: '2.0', params: [] }, { jsonrpc: '1.0' }]) {
      const { status } = await post(served.url, JSON.stringify({ method: 'getblockcount', ...extra }));
      expect(status).toBe(200);
    }
  });

  test('a batch is always 200, in order, errors inside', async () => {
    const { status, text } = await post(served.url, `[${body('getblockcount', [], 1)},${body('nope', [], 2)},5]`);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject([
      { id: 1, error: null },
      { id: 2, error: { code: -32601 } },
      { error: { code: -32600 } },
    ]);
    expect((await post(served.url, '[]')).text).toBe('[]\n');
  });

  test('amounts print with five decimals, sub-commands in any case', async () => {
    expect((await post(served.url, body('getbalance'))).text).toMatch(/"result":12050000\.00000,/);
    expect(await served.user.call('PASTELID'.toLowerCase(), ' List ')).toEqual([]);
  });

  test('a body that says it is longer than 32 MiB is not read', async () => {
    const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
    const authorization = `Basic ${btoa('devnet:devnet')}`;
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Length: ${32 * 1024 * 1024 + 1}\r\n\r\n{`,
    );
    const [line] = (await once(socket, 'data')) as [Buffer];
    expect(line.toString()).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });
});
