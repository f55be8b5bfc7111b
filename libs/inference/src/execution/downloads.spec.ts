import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { InferenceSettings } from '#config';
import { httpSettings, send, startHttpApp } from '../../../../test/support/http-app.js';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import { downloadsOf, settings } from '../../test/inference-world.spec-suite.js';
import { DownloadReaders } from './download-readers.js';
import { DownloadsController } from './downloads.controller.js';
import { Downloads } from './downloads.service.js';

const LIFE_MS = settings.executionSecondsMax * 1000 + 60_000;
const SERVICE = '198.51.100.7';
const bytes = Buffer.from('the document');

let directory: string;
let clock: ManualClock;
let downloads: Downloads;
const serving = (url: string, limits: Partial<InferenceSettings> = {}) =>
  downloadsOf(
    { ...settings, downloadDirectory: directory, ...limits },
    clock,
    new Map([['swiss-army-llama', { places: [url] }]]),
  );
const nameOf = (url: string): string => new URL(url).pathname.slice('/download/'.length);
const isGiven = async (from: Downloads, name: string, address: string): Promise<boolean> =>
  from.open(name, address).then(
    ({ content }) => content.destroy() === content,
    () => false,
  );

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'downloads-')), 'own');
  clock = new ManualClock();
  downloads = serving(`http://${SERVICE}:8089`);
});
afterEach(() => rm(join(directory, '..'), { recursive: true }));

test('a file is there under a name of 128 random bits until it is taken back, however often it is asked for', async () => {
  const local = serving('http://127.0.0.1:8089');
  const http = await startHttpApp({
    controllers: [DownloadsController],
    providers: [{ provide: Downloads, useValue: local }],
  });
  const { url, release } = await local.offer(bytes, 'pdf');
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/download\/[0-9a-f]{32}\.pdf$/);
  const ask = () => send('GET', `${http.url}/download/${nameOf(url)}`);
  for (let again = 0; again < 2; again++) {
    const reply = await ask();
    expect([reply.status, reply.text, reply.headers['content-disposition']]).toEqual([200, 'the document', 'attachment']);
  }
  for (const path of ['', '%2e%2e%2fsecret', '.'.repeat(300)])
    expect((await send('GET', `${http.url}/download/${path}`)).status).toBe(404);
  await release();
  await release();
  const late = await ask();
  expect([late.status, late.text]).toEqual([404, '{"detail":"File not found or expired"}']);
  expect(await readdir(directory)).toEqual([]);
  await http.close();
});

test('the service gets it, under each spelling of its address; nobody else does, and nothing goes away by asking', async () => {
  const { url } = await downloads.offer(bytes);
  const name = nameOf(url);
  for (const address of [SERVICE, `::ffff:${SERVICE}`, '::ffff:c633:6407'])
    expect(await isGiven(downloads, name, address)).toBe(true);
  for (const address of ['198.51.100.8', '127.0.0.2', '::1', '::', '', 'localhost', '8.8.8.8'])
    expect(await isGiven(downloads, name, address)).toBe(false);
  expect(await readdir(directory)).toEqual([name]);
});

test('a node that has no such service gives nothing to anybody', async () => {
  const none = downloadsOf({ ...settings, downloadDirectory: directory, downloadReaders: ['127.0.0.1'] }, clock);
  const { url } = await none.offer(bytes);
  expect(await isGiven(none, nameOf(url), '127.0.0.1')).toBe(false);
});

test('names are looked up, further addresses can be set, and so can the address of this node', async () => {
  const tunnelled = serving('http://localhost:8087', {
    downloadReaders: ['203.0.113.9'],
    downloadBaseUrl: 'https://files.invalid/node/',
  });
  const { url } = await tunnelled.offer(bytes);
  expect(url).toMatch(/^https:\/\/files\.invalid\/node\/download\/[0-9a-f]{32}$/);
  const name = url.slice(-32);
  expect(await isGiven(tunnelled, name, '127.0.0.1')).toBe(true);
  expect(await isGiven(tunnelled, name, '203.0.113.9')).toBe(true);
  expect(await isGiven(tunnelled, name, SERVICE)).toBe(false);
});

test.each([
  ['0.0.0.0', 'http://127.0.0.1:7123'],
  ['::', 'http://[::1]:7123'],
  ['2001:db8::1', 'http://[2001:db8::1]:7123'],
  ['10.0.0.5', 'http://10.0.0.5:7123'],
])('without a set address a node that listens on %s is found at %s', (host, baseUrl) => {
  expect(new DownloadReaders(settings, { ...httpSettings, host, port: 7123 }, { options: new Map() }).baseUrl).toBe(baseUrl);
});

test('what a process left behind expires and is swept away, unfinished files too', async () => {
  const { url } = await downloads.offer(bytes, 'mp3');
  await writeFile(join(directory, `${'0'.repeat(32)}.part`), 'half');
  clock.advance(LIFE_MS);
  expect(await isGiven(downloads, nameOf(url), SERVICE)).toBe(false);
  expect(await readdir(directory)).toHaveLength(2);
  clock.advance(Date.now());
  await downloads.sweep();
  expect(await readdir(directory)).toEqual([]);
});

test('files have a limit in size, and in number until they are taken back', async () => {
  await expect(downloads.offer(Buffer.alloc(32 * 2 ** 20 + 1))).rejects.toMatchObject({ code: 'refused', retryable: false });
  const offered = [];
  for (let n = 0; n < 64; n++) offered.push(await downloads.offer(bytes));
  await expect(downloads.offer(bytes)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  await offered[0]!.release();
  await offered[0]!.release();
  await downloads.offer(bytes);
  await expect(downloads.offer(bytes)).rejects.toMatchObject({ code: 'unavailable' });
  await expect(downloads.offer(bytes, '../x')).rejects.toThrow('is no file ending');
});

test('no other name leads anywhere', async () => {
  await (await downloads.offer(bytes)).release();
  await writeFile(join(directory, 'secret'), 'x');
  await symlink('/etc/hostname', join(directory, '0'.repeat(32)));
  const names = ['secret', '0'.repeat(32), '../secret', '/etc/passwd', '..', '.', '', `${'0'.repeat(32)}.png/../secret`];
  for (const name of names) expect(await isGiven(downloads, name, SERVICE)).toBe(false);
  await fc.assert(fc.asyncProperty(fc.string(), async (name) => expect(await isGiven(downloads, name, SERVICE)).toBe(false)));
  clock.advance(LIFE_MS * 1e6);
  await downloads.sweep();
  expect((await readdir(directory)).sort()).toEqual(['0'.repeat(32), 'secret']);
  expect(existsSync('/etc/hostname')).toBe(true);
});
