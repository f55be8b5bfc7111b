import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDataSource } from './data-source.js';
import { DatabaseInUse, takeFile } from './file-lock.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inference-layer-lock-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a SQLite file is one data source’s until that is closed', async () => {
  const url = `sqlite:${join(folder, 'node.sqlite')}`;
  const first = await openDataSource(url, [], 'synchronize');
  await expect(openDataSource(url, [], 'synchronize')).rejects.toThrow(DatabaseInUse);
  await expect(openDataSource(url, [], 'synchronize')).rejects.toThrow(/node\.sqlite.*serves one process.*DATABASE_URL/);
  await first.destroy();
  await (await openDataSource(url, [], 'synchronize')).destroy();
});

test('a file that could not be opened is given back', async () => {
  const url = `sqlite:${join(folder, 'broken.sqlite')}`;
  const failing = openDataSource(url, [class NoEntity {}], 'check').then(async (source) => {
    await source.destroy();
    throw new Error('unexpectedly open');
  });
  await expect(failing).rejects.not.toThrow(DatabaseInUse);
  takeFile(join(folder, 'broken.sqlite'))();
});

test('a process that is killed leaves no lock behind', async () => {
  const file = join(folder, 'killed.sqlite');
  const holder = spawn(
    process.execPath,
    [
      '-e',
      `new (require('better-sqlite3'))(process.argv[1]).exec('BEGIN EXCLUSIVE'); console.log('held'); setInterval(() => {}, 1e6)`,
      `${file}.lock`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(holder.stdout, 'data');
  expect(() => takeFile(file)).toThrow(DatabaseInUse);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  takeFile(file)();
});
