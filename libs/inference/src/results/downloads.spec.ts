import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SystemEntropy } from '#config';
import { send, startHttpApp } from '../../../../test/support/http-app.js';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import { DownloadsController } from './downloads.controller.js';
import { Downloads } from './downloads.service.js';
import { settings } from '../../test/inference-world.spec-suite.js';

const DAY_MS = 86_400_000;
let directory: string;
let clock: ManualClock;
let downloads: Downloads;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'downloads-'));
  clock = new ManualClock();
  downloads = new Downloads({ ...settings, downloadDirectory: directory }, clock, new SystemEntropy());
});
afterEach(() => rm(directory, { recursive: true }));

test('a file is there for a day, under a name of 128 random bits, and then swept away', async () => {
  const http = await startHttpApp({
    controllers: [DownloadsController],
    providers: [{ provide: Downloads, useValue: downloads }],
  });
  const name = await downloads.offer(Buffer.from('the picture'), 'png');
  expect(name).toMatch(/^[0-9a-f]{32}\.png$/);
  for (let again = 0; again < 2; again++) {
    const reply = await send('GET', `${http.url}/download/${name}`);
    expect([reply.status, reply.text]).toEqual([200, 'the picture']);
    expect(reply.headers['content-disposition']).toBe('attachment');
  }
  clock.advance(DAY_MS);
  const late = await send('GET', `${http.url}/download/${name}`);
  expect([late.status, late.text]).toEqual([404, '{"detail":"File not found or expired"}']);
  expect(await readdir(directory)).toEqual([name]);
  await downloads.sweep();
  expect(await readdir(directory)).toEqual([]);
  await http.close();
});

test('no other name leads anywhere, and asking deletes nothing', async () => {
  await writeFile(join(directory, 'secret'), 'x');
  await symlink('/etc/hostname', join(directory, 'link'));
  const names = [
    'secret',
    'link',
    '../secret',
    '/etc/passwd',
    '..',
    '.',
    '',
    `${'0'.repeat(32)}/..`,
    `${'0'.repeat(32)}.png/../secret`,
  ];
  for (const name of names) await expect(downloads.open(name)).rejects.toMatchObject({ code: 'not-found' });
  await fc.assert(
    fc.asyncProperty(fc.string(), async (name) => {
      await expect(downloads.open(name)).rejects.toMatchObject({ code: 'not-found' });
    }),
  );
  clock.advance(DAY_MS * 365);
  await downloads.sweep();
  expect((await readdir(directory)).sort()).toEqual(['link', 'secret']);
});
