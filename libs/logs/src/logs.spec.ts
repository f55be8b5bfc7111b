import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Script } from 'node:vm';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { LogSettings } from '#config';
import { send, startHttpApp } from '../../../test/support/http-app.js';
import { startLogApp, type TestLogApp } from '../../../test/support/log-app.js';
import { ANSWER_BYTES_MAX } from './log-reader.service.js';
import { LogsModule } from './logs.module.js';
import { oldFile, RotatingFile } from './rotating-file.js';
import { createLogger } from './winston-logger.js';

const JSON_PLEASE = { Accept: 'application/json' };
let app: TestLogApp;
beforeEach(async () => {
  app = await startLogApp();
});
afterEach(() => app.close());

const get = (path: string, headers: Record<string, string> = {}) => send('GET', `${app.url}/${path}`, undefined, headers);
const history = async (path = 'show_logs/60') => (await get(path, JSON_PLEASE)).json();
const increment = async (position: number) => (await get(`show_logs_incremental/60/${position}`)).json();
const linesSince = async (position: number) => (await get(`show_logs_incremental/60/${position}?form=lines`)).json();
const messages = (answer: { entries: { message: string }[] }): string[] => answer.entries.map(({ message }) => message);
const textsOf = (answer: { lines: { tokens: [string, string][] }[] }): string[] =>
  answer.lines.map(({ tokens }) => tokens.map(([, text]) => text).join(''));
const rotate = (): void => {
  mkdirSync(dirname(oldFile(app.file, 1)), { recursive: true });
  renameSync(app.file, oldFile(app.file, 1));
};

describe('the page and the JSON', () => {
  test('JSON by Accept: time, level, message, no older than asked', async () => {
    app.logger.log('old');
    app.clock.advance(10 * 60_000);
    app.logger.error('two\nlines', 'Somebody');
    expect(await history('show_logs')).toEqual({
      entries: [{ time: '2026-01-05 12:10:00,000', level: 'ERROR', message: '[Somebody] two\n    lines' }],
      last_position: expect.any(Number),
      truncated: false,
    });
    expect(messages(await history('show_logs/10'))).toEqual(['old', '[Somebody] two\n    lines']);
    expect(messages(await history('show_logs/0'))).toEqual(['[Somebody] two\n    lines']);
  });

  test('without a file there is nothing, not an error', async () => {
    rmSync(app.file, { force: true });
    expect(await history()).toEqual({ entries: [], last_position: 0, truncated: false });
    expect(await increment(0)).toEqual({ logs: '', last_position: 0 });
    expect((await get('show_logs')).status).toBe(200);
  });

  test('the page is whole by itself, and no line of the log is markup in it', async () => {
    app.logger.log('</script><script>alert(1)</script><!-- `${alert(2)}` \u0041');
    const page = await get('show_logs/60');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['cache-control']).toBe('no-store');
    expect(page.headers['vary']).toMatch(/Accept/);
    const nonce = /script-src 'nonce-([\da-f]{32})'/.exec(String(page.headers['content-security-policy']))![1]!;
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none';/);
    expect(page.headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:/);
    const tags = page.text.match(/<\/?(?:script|style|link|img|iframe)\b[^>]*>/g);
    expect(tags).toEqual([
      '<link rel="icon" href="data:,">',
      `<style nonce="${nonce}">`,
      '</style>',
      `<script type="application/json" id="first" nonce="${nonce}">`,
      '</script>',
      `<script nonce="${nonce}">`,
      '</script>',
    ]);
    expect(page.text).not.toMatch(/(?:src|href)="(?!data:,)|@import|url\(/);
    const data = JSON.parse(/id="first"[^>]*>(.*?)<\/script>/s.exec(page.text)![1]!);
    expect(textsOf(data)).toEqual(['2026-01-05 12:00:00,000 - INFO - </script><script>alert(1)</script><!-- `${alert(2)}` A']);
    expect(String((await get('show_logs')).headers['content-security-policy'])).not.toContain(nonce);
  });

  test('its script parses, and never reads text as HTML', async () => {
    const page = (await get('show_logs')).text;
    const script = /<script nonce="[^"]+">(.*?)<\/script>/s.exec(page)![1]!;
    expect(() => new Script(script)).not.toThrow();
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/);
  });

  test('a long log is cut to the last lines, and says so', async () => {
    const line = `2026-01-05 12:00:00,000 - INFO - ${'x'.repeat(967)}\n`;
    writeFileSync(app.file, line.repeat(2000));
    const answer = await history();
    expect(answer.truncated).toBe(true);
    expect(answer.entries).toHaveLength(Math.floor(ANSWER_BYTES_MAX / line.length));
    expect((await get('show_logs')).text).toMatch(/id="truncated">/);
  });

  test('reaches back into the file before the last rotation', async () => {
    app.logger.log('before');
    rotate();
    app.logger.log('after');
    expect(messages(await history())).toEqual(['before', 'after']);
  });
});

describe('the increments', () => {
  test("HTML for the original's readers, from 0 and on", async () => {
    app.logger.warn('<b>bold</b>\nmore');
    const first = await increment(0);
    expect(first.logs).toBe(
      '<span style="color: #ece2d0;">2026-01-05 12:00:00,000</span> - <span style="color: #ffdfba;">WARNING</span> - ' +
        '&lt;b&gt;bold&lt;/b&gt;<br>    more',
    );
    expect(Object.keys(first)).toEqual(['logs', 'last_position']);
    expect(Number.isSafeInteger(first.last_position)).toBe(true);
    expect(await increment(first.last_position)).toEqual({ logs: '', last_position: first.last_position });
    app.logger.log('next');
    expect((await increment(first.last_position)).logs).toMatch(/ - next$/);
  });

  test('a rotation between two calls loses nothing and repeats nothing', async () => {
    app.logger.log('one');
    let { last_position } = await linesSince(0);
    app.logger.log('two');
    rotate();
    app.logger.log('three');
    const answer = await linesSince(last_position);
    expect(textsOf(answer).map((text) => text.slice(33))).toEqual(['two', 'three']);
    last_position = answer.last_position;
    expect((await linesSince(last_position)).lines).toEqual([]);
  });

  test('a file that was cut off is read from its new beginning', async () => {
    for (let index = 0; index < 50; index += 1) app.logger.log(`long ago ${index}`);
    const { last_position } = await linesSince(0);
    truncateSync(app.file, 0);
    expect((await linesSince(last_position)).lines).toEqual([]);
    app.clock.advance(1000);
    app.logger.log('new');
    expect(textsOf(await linesSince(last_position))).toEqual(['2026-01-05 12:00:01,000 - INFO - new']);
  });

  test('many rotations under a slow reader: every line once, in order', async () => {
    const rotating = new RotatingFile(app.file, 4000);
    const read: string[] = [];
    let position = 0;
    for (let index = 0; index < 300; index += 1) {
      app.clock.advance(1);
      const time = app.clock.now().toISOString().slice(0, 23).replace('T', ' ').replace('.', ',');
      rotating.write(`${time} - INFO - ${index}\n`);
      if (index % 37 !== 0 && index !== 299) continue;
      const answer = await linesSince(position);
      position = answer.last_position;
      read.push(...textsOf(answer).map((text) => text.slice(33)));
    }
    rotating.settle();
    expect(read).toEqual(Array.from({ length: 300 }, (_, index) => String(index)));
  });

  test('bounded pieces, whole lines, nothing lost between them', async () => {
    app.logger.log('first');
    const { last_position: start } = await linesSince(0);
    const count = 1500;
    const body = Array.from({ length: count }, (_, index) => `2026-01-05 12:00:00,000 - INFO - ${index} ${'ü€😀'.repeat(100)}\n`);
    appendFileSync(app.file, body.join(''));
    const read: string[] = [];
    let [position, more, calls] = [start, true, 0];
    while (more) {
      const answer = await linesSince(position);
      expect(JSON.stringify(answer).length).toBeLessThan(2 * ANSWER_BYTES_MAX);
      read.push(...textsOf(answer));
      ({ last_position: position, more } = answer);
      calls += 1;
    }
    expect(calls).toBeGreaterThan(2);
    expect(read).toEqual(body.map((line) => line.trimEnd()));
  });

  test('a made-up position within a character or a line is no error and gives whole lines', async () => {
    app.logger.log('erste Zeile mit ümläüten €€€€');
    app.logger.log('zweite');
    const { last_position } = await linesSince(0);
    const size = statSync(app.file).size;
    for (let offset = last_position - size + 1; offset < last_position; offset += 1) {
      const texts = textsOf(await linesSince(offset));
      expect(texts.length).toBeLessThanOrEqual(1);
      expect(texts.join()).not.toContain('\ufffd');
      if (texts.length === 1) expect(texts[0]).toMatch(/ - INFO - zweite$/);
    }
  });

  test('a half-written line waits for its end', async () => {
    app.logger.log('whole');
    appendFileSync(app.file, '2026-01-05 12:00:00,000 - INFO - ha');
    const first = await linesSince(0);
    expect(first.lines).toHaveLength(1);
    expect((await linesSince(first.last_position)).lines).toEqual([]);
    appendFileSync(app.file, 'lf\n');
    expect(textsOf(await linesSince(first.last_position))).toEqual(['2026-01-05 12:00:00,000 - INFO - half']);
  });

  test.each([String(Number.MAX_SAFE_INTEGER), '1', '4294967296', '99999999999'])(
    'a position that never was, %s: a new reader',
    async (position) => {
      app.logger.log('something');
      expect(textsOf(await linesSince(Number(position)))).toHaveLength(1);
    },
  );

  test.each([
    ['show_logs/x', 'minutes', 'int_parsing'],
    ['show_logs/-1', 'minutes', 'greater_than_equal'],
    ['show_logs/99999999', 'minutes', 'less_than_equal'],
    ['show_logs_incremental/5/-1', 'last_position', 'greater_than_equal'],
    ['show_logs_incremental/5/99999999999999999999', 'last_position', 'less_than_equal'],
    ['show_logs_incremental/5/abc', 'last_position', 'int_parsing'],
  ])('%s is refused by name', async (path, field, type) => {
    const refused = await get(path);
    expect(refused.status).toBe(422);
    expect(refused.json().detail[0]).toMatchObject({ loc: ['path', field], type });
  });
});

describe('who may read', () => {
  const TOKEN = 'an-operator-token-of-tests';
  const ROUTES = ['show_logs', 'show_logs/5', 'show_logs_incremental/5/0'];

  test('this machine, but no page of elsewhere in its browser and no proxy that nobody vouches for', async () => {
    for (const path of ROUTES) {
      expect((await get(path)).status).toBe(200);
      expect((await get(path, { 'X-Forwarded-For': '203.0.113.9' })).status).toBe(401);
      expect((await get(path, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(401);
      expect((await get(path, { Host: 'attacker.example' })).status).toBe(401);
    }
  });

  test('elsewhere the operator alone; a browser is asked for the token', async () => {
    const guarded = await startLogApp({ operatorToken: TOKEN });
    try {
      for (const path of ROUTES) {
        const call = (headers: Record<string, string> = {}) =>
          send('GET', `${guarded.url}/${path}`, undefined, { 'X-Forwarded-For': '203.0.113.9', ...headers });
        const stranger = await call();
        expect([stranger.status, stranger.json()]).toEqual([401, { detail: 'Unauthorized' }]);
        expect(stranger.headers['www-authenticate']).toMatch(/^Basic /);
        expect((await call({ Authorization: `Bearer ${TOKEN}x` })).status).toBe(401);
        const operator = await call({ Authorization: `Basic ${Buffer.from(`me:${TOKEN}`).toString('base64')}` });
        expect(operator.status).toBe(200);
        expect(operator.headers['www-authenticate']).toBeUndefined();
      }
    } finally {
      await guarded.close();
    }
  });
});

test('what is said while a request is served carries its id', async () => {
  @Controller()
  class Talker {
    @Get('talk')
    talk() {
      talking.logger.warn('seen', 'Talker');
    }
  }
  const talking = await startLogApp({}, [Talker]);
  try {
    await send('GET', `${talking.url}/talk`, undefined, { 'X-Request-Id': 'request-0001' });
    expect(readFileSync(talking.file, 'utf8')).toBe('2026-01-05 12:00:00,000 - WARNING - [Talker request-0001] seen\n');
  } finally {
    await talking.close();
  }
});

test('the log is on the disk when the node ends', async () => {
  const log = { level: 'info', file: `${app.file}.other`, toConsole: false };
  const logger = createLogger(log, { clock: app.clock });
  const flush = jest.spyOn(logger, 'flush');
  const node = await startHttpApp({ imports: [LogsModule.of(logger)], provided: [{ provide: LogSettings, useValue: log }] });
  expect(flush).not.toHaveBeenCalled();
  await node.close();
  expect(flush).toHaveBeenCalledTimes(1);
});
