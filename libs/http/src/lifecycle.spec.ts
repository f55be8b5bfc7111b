import 'reflect-metadata';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { send, startHttpApp, type TestHttpApp } from '../../../test/support/http-app.js';
import { drainAndClose, Lifecycle } from './lifecycle.js';

let answer: (text: string) => void;
let asked: Promise<void>;
let sayAsked: () => void;
@Controller()
class Slow {
  @Get('slow') slow(): Promise<string> {
    sayAsked();
    return new Promise((resolve) => {
      answer = resolve;
    });
  }
}

let isChainThere: 'yes' | 'no' | 'silent';
let http: TestHttpApp;
beforeEach(async () => {
  isChainThere = 'yes';
  asked = new Promise((resolve) => {
    sayAsked = resolve;
  });
  const height = async (): Promise<number> => {
    if (isChainThere === 'silent') return new Promise(() => undefined);
    if (isChainThere === 'no') throw new Error('connect ECONNREFUSED 10.0.0.1:19932 user:secret');
    return 1000;
  };
  http = await startHttpApp({ controllers: [Slow], height });
});
afterEach(() => http.close());
const get = (path: string) => send('GET', `${http.url}${path}`);

test('ready says what does not answer, and names no address', async () => {
  expect((await get('/health/live')).json()).toEqual({ status: 'ok', checks: { process: 'ok' } });
  const ready = await get('/health/ready');
  expect([ready.status, ready.json()]).toEqual([200, { status: 'ok', checks: { process: 'ok', database: 'ok', chain: 'ok' } }]);
  isChainThere = 'no';
  http.clock.advance(1000);
  const away = await get('/health/ready');
  expect([away.status, away.json()]).toEqual([
    503,
    { status: 'error', checks: { process: 'ok', database: 'ok', chain: 'cannot be reached' } },
  ]);
});

test('a chain that says nothing counts as away after five seconds', async () => {
  isChainThere = 'silent';
  const waits = http.clock.waiting;
  const answered = get('/health/ready');
  while (http.clock.waiting < waits + 1) await new Promise(setImmediate);
  http.clock.advance(5000);
  expect((await answered).json().checks.chain).toBe('no answer in time');
});

test('a stopping process serves what it has begun, refuses what is new, and says so at once', async () => {
  const running = get('/slow');
  await asked;
  const stopped = drainAndClose(http.app, 5000);
  expect((await get('/health/ready')).status).toBe(503);
  expect((await get('/health/live')).status).toBe(200);
  const refused = await get('/liveness_ping');
  expect([refused.status, refused.headers['retry-after'], refused.json()]).toEqual([
    503,
    '10',
    { detail: 'This supernode is stopping' },
  ]);
  answer('done');
  expect((await running).text).toBe('done');
  expect(await stopped).toBe(true);
});

test('what does not come to its end is cut off after the grace', async () => {
  const running = get('/slow').catch((error: Error) => error);
  await asked;
  let isWorkDone = false;
  http.app.get(Lifecycle).waitFor(async () => {
    isWorkDone = true;
  });
  const waits = http.clock.waiting;
  const stopped = drainAndClose(http.app, 5000);
  while (http.clock.waiting < waits + 1) await new Promise(setImmediate);
  http.clock.advance(5000);
  expect(await stopped).toBe(false);
  expect(await running).toMatchObject({ code: 'ECONNRESET' });
  expect(isWorkDone).toBe(true);
});

test('many calls may listen to the end of the process', async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error): void => void warnings.push(warning);
  process.on('warning', hear);
  const { signal } = http.app.get(Lifecycle);
  for (let i = 0; i < 100; i++) signal.addEventListener('abort', () => undefined);
  await new Promise(setImmediate);
  process.off('warning', hear);
  expect(warnings).toEqual([]);
});

test('the requests that are served are counted at /metrics', async () => {
  const running = get('/slow');
  await asked;
  expect((await get('/metrics')).text).toMatch(/^pastel_requests_underway 2$/m);
  answer('done');
  await running;
  expect((await get('/metrics')).text).toMatch(/^pastel_requests_underway 1$/m);
});
