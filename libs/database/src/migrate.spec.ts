import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { DataSource, EntitySchema } from 'typeorm';
import { testDatabases } from '../../../test/support/databases.js';
import { dataSourceOptions, openDataSource } from './data-source.js';
import { dialectOf, ensureSchema, migrate, schemaDifference, SchemaTooNew, SchemaTooOld } from './migrate.js';
import type { Migration } from './migration.js';

const notes = new EntitySchema<{ id: number; text: string }>({
  name: 'note',
  columns: { id: { type: 'integer', primary: true }, text: { type: 'text' } },
});
const step = (name: string, ...statements: string[]): Migration => ({ name, sqlite: statements, postgres: statements });
const FIRST = step('20240101000000-first', 'CREATE TABLE "one" ("id" integer)');
const SECOND = step('20240102000000-second', 'CREATE TABLE "two" ("id" integer)', 'INSERT INTO "two" VALUES (1)');
const open = (url: string) => new DataSource(dataSourceOptions(url, [notes])).initialize();

describe.each(testDatabases())('migrations on $name', (database) => {
  const withDatabase = async (work: (source: DataSource) => Promise<void>) => {
    const source = await open(await database.url());
    try {
      await work(source);
    } finally {
      await source.destroy();
    }
  };

  test('missing steps run once, in the order of their names', () =>
    withDatabase(async (source) => {
      expect(await migrate(source, [FIRST])).toEqual([FIRST.name]);
      expect(await migrate(source, [SECOND, FIRST])).toEqual([SECOND.name]);
      expect(await migrate(source, [SECOND, FIRST])).toEqual([]);
      expect(await source.query('SELECT * FROM "two"')).toEqual([{ id: 1 }]);
    }));

  test('a step that fails leaves nothing behind and is not booked', () =>
    withDatabase(async (source) => {
      const broken = step('20240103000000-broken', 'CREATE TABLE "half" ("id" integer)', 'CREATE TABLE nonsense (');
      await expect(migrate(source, [FIRST, broken])).rejects.toThrow();
      await expect(source.query('SELECT * FROM "half"')).rejects.toThrow();
      expect(await migrate(source, [FIRST])).toEqual([]);
    }));

  test('a schema of a newer version is refused before anything is changed', () =>
    withDatabase(async (source) => {
      await migrate(source, [FIRST, SECOND]);
      await expect(migrate(source, [FIRST])).rejects.toThrow(SchemaTooNew);
    }));

  test('a service makes the tables of an empty database, and starts on them again', () =>
    withDatabase(async (source) => {
      await ensureSchema(source, [FIRST, SECOND]);
      expect(await source.query('SELECT * FROM "two"')).toEqual([{ id: 1 }]);
      await ensureSchema(source, [FIRST, SECOND]);
      expect(await migrate(source, [FIRST, SECOND])).toEqual([]);
    }));

  test('a service changes no database of another version, and names the command', () =>
    withDatabase(async (source) => {
      await migrate(source, [FIRST]);
      await expect(ensureSchema(source, [FIRST, SECOND])).rejects.toThrow(SchemaTooOld);
      await expect(ensureSchema(source, [FIRST, SECOND])).rejects.toThrow(`${SECOND.name}. Stop every process`);
      await expect(ensureSchema(source, [FIRST, SECOND])).rejects.toThrow(/npm run migrate$/);
      await expect(source.query('SELECT * FROM "two"')).rejects.toThrow();
      await expect(ensureSchema(source, [])).rejects.toThrow(SchemaTooNew);
    }));

  test('a service takes no database that holds something of somebody else', () =>
    withDatabase(async (source) => {
      await source.query('CREATE TABLE "theirs" ("id" integer)');
      await expect(ensureSchema(source, [FIRST])).rejects.toThrow(SchemaTooOld);
      await expect(source.query('SELECT * FROM "one"')).rejects.toThrow();
    }));

  test('the difference to the entities is empty after the statements that it names', () =>
    withDatabase(async (source) => {
      const statements = await schemaDifference(source);
      expect(statements.join()).toContain('"note"');
      const generated: Migration = { name: '20240101000000-notes', sqlite: [], postgres: [], [dialectOf(source)]: statements };
      await migrate(source, [generated]);
      expect(await schemaDifference(source)).toEqual([]);
    }));
});

test('PostgreSQL: processes that start together migrate one after the other', async () => {
  const url = await testDatabases()[1]!.url();
  const sources = await Promise.all([open(url), open(url), open(url)]);
  try {
    const applied = await Promise.all(sources.map((source) => migrate(source, [FIRST, SECOND])));
    expect(applied.flat().sort()).toEqual([FIRST.name, SECOND.name]);
  } finally {
    await Promise.all(sources.map((source) => source.destroy()));
  }
});

test('PostgreSQL: of services that start together on an empty database one makes the tables', async () => {
  const url = await testDatabases()[1]!.url();
  const sources = await Promise.all([open(url), open(url), open(url)]);
  try {
    await Promise.all(sources.map((source) => ensureSchema(source, [FIRST, SECOND])));
    expect(await sources[0].query('SELECT * FROM "two"')).toEqual([{ id: 1 }]);
  } finally {
    await Promise.all(sources.map((source) => source.destroy()));
  }
});

test('SQLite in a file: write-ahead log, foreign keys, waits for other processes', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'inference-layer-db-'));
  const source = await openDataSource(`sqlite:${join(directory, 'made', 'node.sqlite')}`, [notes], 'synchronize');
  try {
    const value = async (pragma: string): Promise<unknown> =>
      Object.values((await source.query<object[]>(`PRAGMA ${pragma}`))[0]!)[0];
    expect(await Promise.all(['journal_mode', 'foreign_keys', 'synchronous', 'busy_timeout'].map(value))).toEqual([
      'wal',
      1,
      1,
      5000,
    ]);
  } finally {
    await source.destroy();
    await rm(directory, { recursive: true });
  }
});
