import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DataSource, EntitySchema, LessThan } from 'typeorm';
import { openTestDatabase, testDatabases } from '../../../test/support/databases.js';
import { dataSourceOptions } from './data-source.js';
import { passingOverLocked, passThrough } from './locks.js';
import { ProcessLocks } from './process-locks.js';
import { Transactions } from './transactions.js';

interface Job {
  id: number;
  claims: number;
}
const jobs = new EntitySchema<Job>({
  name: 'job',
  columns: { id: { type: 'integer', primary: true }, claims: { type: 'integer' } },
});
const JOBS = 40;

describe.each(testDatabases())('claims on $name', (database) => {
  let source: DataSource;
  let transactions: Transactions;
  beforeAll(async () => {
    ({ source, transactions } = await openTestDatabase(database, [jobs]));
    await transactions.run('test: jobs', (m) =>
      m.insert(
        jobs,
        Array.from({ length: JOBS }, (_, id) => ({ id, claims: 0 })),
      ),
    );
  });
  afterAll(() => source.destroy());

  test('workers that claim at once share the work: each job once, none left', async () => {
    const worker = async (): Promise<number> => {
      for (let count = 0; ; count++) {
        const claimed = await transactions.run('test: claim', async (m) => {
          const job = await m.findOne(jobs, { where: { claims: LessThan(1) }, order: { id: 'ASC' }, ...passingOverLocked(m) });
          if (job) await m.increment(jobs, { id: job.id }, 'claims', 1);
          return job;
        });
        if (!claimed) return count;
      }
    };
    const shares = await Promise.all(Array.from({ length: 8 }, worker));
    expect(shares.reduce((sum, share) => sum + share)).toBe(JOBS);
    expect((await transactions.reader.find(jobs)).every(({ claims }) => claims === 1)).toBe(true);
  });

  test('who passes a gate alone sees what those before it stored', async () => {
    const count = () =>
      transactions.run('test: count', async (m) => {
        await passThrough(m, 'count');
        const before = await m.countBy(jobs, { claims: 7 });
        if (before >= 3) return false;
        await m.update(jobs, { id: before }, { claims: 7 });
        return true;
      });
    expect((await Promise.all(Array.from({ length: 10 }, count))).filter(Boolean)).toHaveLength(3);
  });

  test('one call at a time does what is locked', async () => {
    const locks = new ProcessLocks(source);
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const first = locks.whileAlone('register', async () => {
      await ended;
      return 'done';
    });
    expect(await locks.whileAlone('register', async () => 'twice')).toBeUndefined();
    expect(await locks.whileAlone('another', async () => 'beside')).toBe('beside');
    end();
    expect(await first).toBe('done');
    expect(await locks.whileAlone('register', async () => 'again')).toBe('again');
  });
});

test('PostgreSQL: a lock of one process keeps another out, and goes with its process', async () => {
  const url = await testDatabases()[1]!.url();
  const open = () => new DataSource(dataSourceOptions(url, [])).initialize();
  const [one, other] = [await open(), await open()];
  const locks = new ProcessLocks(other);
  let begin: () => void = () => undefined;
  let end: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const ended = new Promise<void>((resolve) => (end = resolve));
  const first = new ProcessLocks(one).whileAlone('register', async () => {
    begin();
    await ended;
    return 'done';
  });
  await begun;
  expect(await locks.whileAlone('register', async () => 'twice')).toBeUndefined();
  // What the database sees of a process that dies.
  await other.query(
    'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  expect(await locks.whileAlone('register', async () => 'after it')).toBe('after it');
  end();
  expect(await first).toBe('done');
  await one.destroy();
  await other.destroy();
});
