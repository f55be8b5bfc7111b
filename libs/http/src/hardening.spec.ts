import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { send, startHttpApp, type TestHttpApp } from '../../../test/support/http-app.js';
import { OperatorOnly } from './access.guards.js';
import { WireAdapter } from './wire.adapter.js';

@Controller()
class Probe {
  @Get('page') page(): string {
    return 'page';
  }
  @OperatorOnly() @Get('operator') operator(): string {
    return 'operator';
  }
  @Post('echo') echo(@Body() body: unknown): unknown {
    return { kind: typeof body };
  }
  @Get('query') query(@Query() query: object): object {
    return { names: Object.keys(query).length };
  }
}

const BODY_MAX = 2 ** 18;
const TOKEN = 'a-token-of-my-own-making';
let http: TestHttpApp;
beforeAll(async () => {
  http = await startHttpApp({ controllers: [Probe], settings: { operatorToken: TOKEN, bodyBytesMax: BODY_MAX } });
});
afterAll(() => http.close());

describe('what a browser may do with an answer', () => {
  test.each([
    ['GET', '/page', 200],
    ['GET', '/nowhere', 404],
    ['GET', '/operator', 401],
    ['POST', '/echo', 422],
    ['OPTIONS', '/echo', 200],
  ])('%s %s: nothing', async (method, path, status) => {
    const { headers, ...reply } = await send(method, `${http.url}${path}`, method === 'POST' ? '{' : undefined);
    expect(reply.status).toBe(status);
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    for (const absent of ['strict-transport-security', 'x-powered-by']) expect(headers).not.toHaveProperty(absent);
  });

  test.each(['/', '/docs'])('%s: the documentation runs its own files, and nothing that stands in the page', async (path) => {
    const { headers, text } = await send('GET', `${http.url}${path}`);
    expect(headers['content-security-policy']).toContain("script-src 'self';");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    const scripts = [...text.matchAll(/<script([^>]*)>([^<]*)/g)];
    expect(scripts.length).toBeGreaterThan(0);
    for (const [, attributes, content] of scripts) {
      const file = /src=['"]([^'"]+)['"]/.exec(attributes!)?.[1];
      expect([file, content!.trim()]).toEqual([expect.stringMatching(/^\.\//), '']);
      const answer = await send('GET', new URL(file!, `${http.url}${path}`).href);
      expect([answer.status, answer.headers['x-content-type-options']]).toEqual([200, 'nosniff']);
      expect(answer.headers['content-type']).toMatch(/javascript/);
    }
    expect(text).not.toMatch(/\son\w+=/);
  });
});

test('of a token nothing but the whole opens, whatever its length', async () => {
  const status = async (authorization: string) =>
    (await send('GET', `${http.url}/operator`, undefined, { authorization })).status;
  expect(await status(`Bearer ${TOKEN}`)).toBe(200);
  for (const wrong of ['', 'a', TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toUpperCase(), 'é'.repeat(500)])
    expect(await status(`Bearer ${Buffer.from(wrong).toString('latin1')}`)).toBe(401);
});

describe('what is sent has bounds', () => {
  test.each([
    ['a body of many levels', '['.repeat(33) + ']'.repeat(33), 422],
    ['as many as are allowed', '['.repeat(32) + ']'.repeat(32), 201],
    ['a body of many values', `[${'0,'.repeat(100_000)}0]`, 422],
    ['a number of many digits', '1'.repeat(401), 422],
    ['a body that is too large', `"${'a'.repeat(BODY_MAX)}"`, 413],
  ])('%s', async (_, body, status) => {
    expect((await send('POST', `${http.url}/echo`, body)).status).toBe(status);
  });

  test('a long address, and many headers', async () => {
    expect((await send('GET', `${http.url}/query?${'a'.repeat(16_384)}`)).status).toBe(431);
    const many = Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`x-${n}`, 'a']));
    expect((await send('GET', `${http.url}/page`, undefined, many)).status).toBe(200);
  });

  test('a query of many members', async () => {
    const query = Array.from({ length: 1500 }, (_, n) => `a${n}=`).join('&');
    expect((await send('GET', `${http.url}/query?${query}`)).json()).toEqual({ names: 1000 });
  });

  test('connections at the same time', async () => {
    const small = await startHttpApp({ controllers: [Probe], settings: { connectionsMax: 2 } });
    const { port } = new URL(small.url);
    const sockets: Socket[] = [];
    try {
      for (let n = 0; n < 2; n++) sockets.push(connect(Number(port), '127.0.0.1'));
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      await expect(send('GET', `${small.url}/page`)).rejects.toThrow();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => setImmediate(resolve));
      for (let tries = 0; ; tries++) {
        const reply = await send('GET', `${small.url}/page`).catch(() => undefined);
        if (reply?.status === 200) break;
        expect(tries).toBeLessThan(50);
      }
    } finally {
      await small.close();
    }
  });
});

test('a caller who sends his request drop by drop is sent away', async () => {
  @Controller()
  class Plain {
    @Get('page') page(): string {
      return 'page';
    }
  }
  class Root {}
  const limits = { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 50 };
  const module = { module: Root, controllers: [Plain] };
  const app = await NestFactory.create(module, new WireAdapter(limits), { logger: false, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  const answerTo = async (head: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(head);
    await once(socket, 'close');
    return text;
  };
  try {
    expect(await answerTo('GET /page HTTP/1.1\r\nHost: here\r\nX-Slow: ')).toContain('HTTP/1.1 408 ');
    expect(await answerTo('POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{')).toContain('HTTP/1.1 408 ');
  } finally {
    await app.close();
  }
});
