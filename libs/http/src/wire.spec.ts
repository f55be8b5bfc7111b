import 'reflect-metadata';
import { networkInterfaces } from 'node:os';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Body, Controller, Get, Header, Param, ParseIntPipe, Post, ServiceUnavailableException } from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import { ChainRefusal, ChainUnavailable } from '#chain';
import { exchanges, PythonNumber, Refusal } from '#protocol';
import { send, startHttpApp, type Reply, type TestHttpApp } from '../../../test/support/http-app.js';
import { LocalhostOnly, OperatorOnly } from './access.guards.js';
import { Exchange } from './exchange.js';
import { PathInteger, QueryInteger, QueryText } from './parameters.js';
import { currentRequestId } from './request-context.js';

class Note {
  @IsString() text!: string;
  @IsInt() count!: number;
}
const LIMIT = 20_000;
const SECRET = 'https://user:s3cret@127.0.0.1:19932';
const THROWN: Record<string, () => Error> = {
  bug: () => new Error(SECRET),
  chain: () => new ChainUnavailable('getinfo', SECRET),
  refused: () => new ChainRefusal(-8, SECRET, 'getinfo'),
  http: () => new ServiceUnavailableException(SECRET),
  'bad-request': () => new Refusal('bad-request', 'said'),
  unauthorized: () => new Refusal('unauthorized', 'said'),
  forbidden: () => new Refusal('forbidden', 'said'),
  'not-found': () => new Refusal('not-found', 'said'),
  conflict: () => new Refusal('conflict', 'said'),
  'too-many': () => new Refusal('too-many', 'said'),
  unavailable: () => new Refusal('unavailable', 'said'),
};

let release: () => void = () => undefined;
@Controller()
class Probe {
  @Post('echo') echo(@Body() body: unknown): unknown {
    return body;
  }
  @Post('note') note(@Body() note: Note): object {
    return { isNote: note instanceof Note, ...note };
  }
  @Post('number') number(): object {
    return { text: PythonNumber.float(1500) };
  }
  @Get('yes') yes(): boolean {
    return true;
  }
  @Get('nothing') nothing(): null {
    return null;
  }
  @Get('page') @Header('Content-Type', 'text/html') page(): string {
    return '<p>page</p>';
  }
  @Get('throw/:what') thrown(@Param('what') what: string): never {
    throw THROWN[what]!();
  }
  @Get('logs/:minutes') logs(@PathInteger('minutes', { min: 1, max: 60 }) minutes: number): number {
    return minutes;
  }
  @Get('list') list(
    @QueryInteger('last', { default: 100 }) last: number,
    @QueryText('kind', { default: 'all' }) kind: string,
  ): object {
    return { last, kind };
  }
  @Get('nest/:n') nest(@Param('n', ParseIntPipe) n: number): number {
    return n;
  }
  @Get('local') @LocalhostOnly() local(): string {
    return 'local';
  }
  @Get('operator') @OperatorOnly() operator(): string {
    return 'operator';
  }
  @Get('id') id(): object {
    return { id: currentRequestId() };
  }
  @Get('slow') slow(): Promise<string> {
    return new Promise((resolve) => (release = () => resolve('done')));
  }
  @Exchange(exchanges.usageRequest, { summary: 'Ask for an inference', example: { challenge: 'c' } }) exchange(): object {
    return {};
  }
}

const json = { 'content-type': 'application/json' };
let http: TestHttpApp;
const get = (path: string, headers: Record<string, string> = {}) => send('GET', `${http.url}${path}`, undefined, headers);
const post = (path: string, body?: object | string | Iterable<Buffer>, headers: Record<string, string> = json) =>
  send('POST', `${http.url}${path}`, body, headers);
const detail = (reply: Reply) => [reply.status, reply.json().detail];

describe('the HTTP ground', () => {
  beforeAll(async () => {
    http = await startHttpApp({ controllers: [Probe], settings: { bodyBytesMax: LIMIT } });
  });
  afterAll(() => http.close());

  describe('bodies', () => {
    const ofSize = (bytes: number) => JSON.stringify('x'.repeat(bytes - 2));

    test('numbers keep their lexemes both ways, whatever the Content-Type', async () => {
      const text = '{"a":1500.0,"b":12,"c":9007199254740993,"d":1e2}';
      expect((await post('/number')).text).toBe('{"text":1500.0}');
      const reply = await post('/note', '{"text":"t","count":12,"more":1}', {});
      expect([reply.status, reply.json()]).toEqual([201, { isNote: true, text: 't', count: 12 }]);
      expect((await post('/echo', text, { 'content-type': 'text/plain' })).status).toBe(201);
    });

    test('the limit itself passes, one byte more is 413 in plain text', async () => {
      expect((await post('/echo', ofSize(LIMIT))).status).toBe(201);
      const reply = await post('/echo', ofSize(LIMIT + 1));
      expect([reply.status, reply.text, reply.headers['content-type']]).toEqual([
        413,
        'Request size exceeds the limit',
        'text/plain; charset=utf-8',
      ]);
    });

    test('chunked and compressed bodies are counted by their bytes', async () => {
      const chunks = (bytes: number) => [
        Buffer.from(`"${'x'.repeat(999)}`),
        ...Array.from({ length: bytes / 1000 - 1 }, () => Buffer.alloc(1000, 'x')),
      ];
      expect((await post('/echo', [...chunks(LIMIT - 1000), Buffer.from('"')])).status).toBe(201);
      expect((await post('/echo', [...chunks(LIMIT), Buffer.from('"')])).status).toBe(413);
      const zipped = (bytes: number) => [gzipSync(ofSize(bytes))];
      expect((await post('/echo', zipped(LIMIT), { 'content-encoding': 'gzip' })).status).toBe(201);
      expect((await post('/echo', zipped(LIMIT * 100), { 'content-encoding': 'gzip' })).status).toBe(413);
    });

    test('a chunked body without end is answered while it still comes, then cut off', async () => {
      const socket = connect(Number(new URL(http.url).port), '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString()));
      const closed = new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined));
      socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
      const pump = (): void => {
        while (!socket.destroyed && socket.write(`1000\r\n${'x'.repeat(4096)}\r\n`));
      };
      socket.on('drain', pump);
      pump();
      await closed;
      expect(answer).toMatch(/^HTTP\/1.1 413 /);
    });

    test.each(['{', '{"a":1,"a":2}', '{"a":NaN}', '"\\ud800"', '[1,]', '{} x', '['.repeat(40)])(
      '%s is no JSON for us: 422',
      async (text) => {
        const reply = await post('/echo', text);
        expect(reply.status).toBe(422);
        expect(reply.json().detail[0]).toMatchObject({
          type: 'json_invalid',
          msg: 'JSON decode error',
          loc: ['body', expect.any(Number)],
          ctx: { error: expect.any(String) },
        });
      },
    );

    test('garbled UTF-8, a false Content-Encoding and an unknown one are refused', async () => {
      expect((await post('/echo', [Buffer.from([0x22, 0xff, 0x22])])).json().detail[0].type).toBe('json_invalid');
      expect((await post('/echo', '{}', { 'content-encoding': 'gzip' })).status).toBe(422);
      expect((await post('/echo', '{}', { 'content-encoding': 'br' })).status).toBe(415);
    });

    test('the fields of an ordinary body are named when they are wrong', async () => {
      const reply = await post('/note', '{"count":1.5}');
      expect(reply.status).toBe(422);
      expect(reply.json().detail.map(({ loc, type }: { loc: unknown; type: string }) => [type, loc])).toEqual([
        ['missing', ['body', 'text']],
        ['isInt', ['body', 'count']],
      ]);
    });
  });

  describe('answers', () => {
    test('bare true and null are JSON, a page stays a page', async () => {
      expect([(await get('/yes')).text, (await get('/yes')).headers['content-type']]).toEqual([
        'true',
        'application/json; charset=utf-8',
      ]);
      expect((await get('/nothing')).text).toBe('null');
      expect((await get('/page')).headers['content-type']).toMatch('text/html');
    });

    test.each([
      ['bad-request', 400],
      ['unauthorized', 401],
      ['forbidden', 403],
      ['not-found', 404],
      ['conflict', 409],
      ['too-many', 429],
      ['unavailable', 503],
    ])('the refusal %s is %i', async (code, status) => {
      expect(detail(await get(`/throw/${code}`))).toEqual([status, 'said']);
    });

    test.each([
      ['bug', 500, 'Internal Server Error'],
      ['chain', 503, 'The Pastel node cannot be reached at the moment'],
      ['refused', 502, 'The Pastel node refused a call that this request needs'],
      ['http', 503, 'Service Unavailable'],
    ])('%s is %i and tells nothing', async (what, status, text) => {
      const reply = await get(`/throw/${what}`);
      expect(detail(reply)).toEqual([status, text]);
      expect(reply.text).not.toContain('s3cret');
    });

    test('an unknown path is 404, a known one with another method 405', async () => {
      expect(detail(await get('/no/such/path'))).toEqual([404, 'Not Found']);
      const reply = await post('/yes', '{}');
      expect([...detail(reply), reply.headers['allow']]).toEqual([405, 'Method Not Allowed', 'GET, HEAD']);
      expect(detail(await get('/echo'))).toEqual([405, 'Method Not Allowed']);
      expect((await send('HEAD', `${http.url}/yes`)).status).toBe(200);
      expect((await get('/logs/%E0%A4%A')).status).toBe(400);
    });

    test('numbers and texts of the path and the query', async () => {
      expect((await get('/logs/5')).text).toBe('5');
      expect((await get('/logs/x')).json()).toEqual({
        detail: [
          {
            type: 'int_parsing',
            loc: ['path', 'minutes'],
            msg: 'Input should be a valid integer, unable to parse string as an integer',
            input: 'x',
          },
        ],
      });
      expect((await get('/logs/61')).json().detail[0].type).toBe('less_than_equal');
      expect((await get('/list')).json()).toEqual({ last: 100, kind: 'all' });
      expect((await get('/list?last=7&kind=x')).json()).toEqual({ last: 7, kind: 'x' });
      expect((await get('/list?last=7&last=8&kind=1&kind=2')).status).toBe(422);
      expect((await get('/nest/x')).status).toBe(400);
    });

    test('each request has an id; a well-formed one of the caller is kept', async () => {
      const reply = await get('/id');
      expect(reply.json().id).toBe(reply.headers['x-request-id']);
      expect((await get('/id', { 'x-request-id': 'from-proxy-1' })).json().id).toBe('from-proxy-1');
      expect((await get('/id', { 'x-request-id': 'a b <script>' })).json().id).toMatch(/^[0-9a-f-]{36}$/);
      expect((await get('/no/such/path')).headers['x-request-id']).toBeDefined();
    });
  });

  describe('documentation', () => {
    test('GET / shows the page, and its files come from here', async () => {
      const page = await get('/');
      expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page.text).toContain('<title>Pastel-Supernode-Inference-Layer</title>');
      const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file!);
      expect(files.length).toBeGreaterThan(3);
      for (const file of files) {
        expect(file).not.toMatch(/^(https?:)?\/\//);
        expect([file, (await get(new URL(file, `${http.url}/`).pathname)).status]).toEqual([file, 200]);
      }
      expect((await send('HEAD', `${http.url}/`)).status).toBe(200);
      expect((await get('/?from=client')).status).toBe(200);
      expect((await get('/docs')).status).toBe(200);
    });

    test('/openapi.json describes body, answers and refusals of an exchange, and every $ref leads somewhere', async () => {
      const reply = await get('/openapi.json');
      const document = reply.json();
      expect(document.info.title).toBe('Pastel-Supernode-Inference-Layer');
      const route = document.paths['/make_inference_api_usage_request'].post;
      expect(route.summary).toBe('Ask for an inference');
      const body = route.requestBody.content['application/json'].schema;
      expect(body.required).toEqual(['challenge', 'challenge_id', 'challenge_signature', 'inference_api_usage_request']);
      expect(body.example).toEqual({ challenge: 'c' });
      expect(route.responses[200].content['application/json'].schema.oneOf).toHaveLength(1);
      expect(Object.keys(route.responses)).toEqual(['200', '401', '413', '422', '429', '500']);
      const request = document.components.schemas.InferenceAPIUsageRequest;
      expect(request.properties.inference_request_pastel_block_height).toMatchObject({ type: 'integer' });
      expect(document.paths['/request_challenge/{pastelid}'].get.parameters).toHaveLength(1);
      for (const [, name] of reply.text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
        expect(document.components.schemas).toHaveProperty(name!);
    });
  });
});

describe('who may call', () => {
  afterEach(() => http.close());
  const TOKEN = 'a-token-of-my-own-making';
  const basic = (password: string) => ({ authorization: `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}` });
  const outward = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

  test('this machine may call local routes; a proxy nobody vouches for and a foreign page may not', async () => {
    http = await startHttpApp({ controllers: [Probe] });
    expect((await get('/local')).text).toBe('local');
    const refused = [
      { 'x-forwarded-for': '127.0.0.1' },
      { forwarded: 'for=8.8.8.8' },
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { host: 'evil.example' },
      { origin: 'null' },
    ];
    for (const headers of refused)
      expect([headers, ...detail(await get('/local', headers as unknown as Record<string, string>))]).toEqual([
        headers,
        401,
        'Unauthorized',
      ]);
    expect((await get('/local', { origin: 'http://localhost:3000', host: 'localhost:7123' })).status).toBe(200);
  });

  test.each(['::1', '::ffff:127.0.0.1', '127.0.0.3'])('%s is this machine', async (host) => {
    http = await startHttpApp({ controllers: [Probe], host });
    expect((await get('/local')).status).toBe(200);
  });

  (outward === undefined ? test.skip : test)('an outsider stays one, whatever X-Forwarded-For says', async () => {
    http = await startHttpApp({ controllers: [Probe], host: outward!, settings: { operatorToken: TOKEN } });
    expect((await get('/local')).status).toBe(401);
    expect((await get('/local', { 'x-forwarded-for': '127.0.0.1' })).status).toBe(401);
    expect((await get('/local', { ...basic(TOKEN) })).status).toBe(200);
    expect((await get('/local', { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    expect((await get('/local', { authorization: `Bearer ${TOKEN}x` })).status).toBe(401);
  });

  test("a trusted proxy's word counts", async () => {
    http = await startHttpApp({ controllers: [Probe], settings: { trustedProxies: ['127.0.0.1'] } });
    expect((await get('/local', { 'x-forwarded-for': '127.0.0.1, 8.8.8.8' })).status).toBe(401);
    expect((await get('/local', { 'x-forwarded-for': '8.8.8.8, 127.0.0.9' })).status).toBe(200);
    expect((await get('/local')).status).toBe(200);
  });

  test('the override opens local routes', async () => {
    http = await startHttpApp({ controllers: [Probe], settings: { localhostOnlyDisabled: true } });
    expect((await get('/local', { 'x-forwarded-for': '8.8.8.8' })).status).toBe(200);
  });

  test('operator routes want the token; without one they are local', async () => {
    http = await startHttpApp({ controllers: [Probe], settings: { operatorToken: TOKEN } });
    const none = await get('/operator');
    expect([...detail(none), none.headers['www-authenticate']]).toEqual([401, 'Not authenticated', 'Basic']);
    expect(detail(await get('/operator', basic('wrong')))).toEqual([401, 'Incorrect password']);
    expect((await get('/operator', basic(TOKEN))).text).toBe('operator');
    expect((await get('/operator', { authorization: `Bearer ${TOKEN}` })).text).toBe('operator');
    await http.close();
    http = await startHttpApp({ controllers: [Probe] });
    expect((await get('/operator')).status).toBe(200);
    expect((await get('/operator', { 'x-forwarded-for': '8.8.8.8' })).status).toBe(401);
  });

  test('requests of an address are limited over time', async () => {
    http = await startHttpApp({ controllers: [Probe], settings: { requestsPerMinutePerIp: 60, limitLoopback: true } });
    for (let i = 0; i < 60; i++) expect((await get('/yes')).status).toBe(200);
    const refused = await get('/yes');
    expect([refused.status, refused.headers['retry-after'], refused.json().detail]).toEqual([
      429,
      '1',
      'Too many requests: try again in 1 s',
    ]);
    http.clock.advance(1000);
    expect((await get('/yes')).status).toBe(200);
    expect((await get('/yes')).status).toBe(429);
  });

  test('this machine is not limited by default', async () => {
    http = await startHttpApp({ controllers: [Probe], settings: { requestsPerMinutePerIp: 1 } });
    expect([(await get('/yes')).status, (await get('/yes')).status]).toEqual([200, 200]);
  });

  test('browsers of any origin may read, without credentials; named origins with them', async () => {
    http = await startHttpApp({ controllers: [Probe] });
    const open = (await get('/yes', { origin: 'https://a.example' })).headers;
    expect([open['access-control-allow-origin'], open['access-control-allow-credentials']]).toEqual(['*', undefined]);
    const preflight = await send('OPTIONS', `${http.url}/echo`, undefined, {
      origin: 'https://a.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    });
    expect([
      preflight.status,
      preflight.headers['access-control-max-age'],
      preflight.headers['access-control-allow-headers'],
    ]).toEqual([200, '600', 'content-type']);
    await http.close();
    http = await startHttpApp({ controllers: [Probe], settings: { corsOrigins: ['https://a.example'] } });
    const [named, foreign] = [
      (await get('/yes', { origin: 'https://a.example' })).headers,
      (await get('/yes', { origin: 'https://b.example' })).headers,
    ];
    expect([named['access-control-allow-origin'], named['access-control-allow-credentials']]).toEqual([
      'https://a.example',
      'true',
    ]);
    expect(foreign['access-control-allow-origin']).toBeUndefined();
    expect((await get('/no/such/path', { origin: 'https://a.example' })).headers['access-control-allow-origin']).toBe(
      'https://a.example',
    );
  });
});

test('closing lets an answer under way finish and cuts what never ends', async () => {
  http = await startHttpApp({ controllers: [Probe] });
  const slow = get('/slow');
  const half = connect(Number(new URL(http.url).port), '127.0.0.1');
  half.on('error', () => undefined);
  half.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
  while ((await get('/yes')).status !== 200);
  await new Promise((resolve) => setImmediate(resolve));
  const closing = http.close();
  release();
  expect((await slow).text).toBe('done');
  await closing;
  await expect(get('/yes')).rejects.toThrow();
});
