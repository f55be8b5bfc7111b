import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataSourceOptions, ensureSchema, migrate, migrations, schemaDifference, Transactions } from '#database';
import { Reconciliation } from '#inference';
import { entities } from '../../apps/supernode/src/supernode.js';
import { testDatabases } from '../support/databases.js';
import { insertRows, readRows } from '../support/rows.js';

/** The list is for the generator as well. */
const released = JSON.parse(readFileSync('libs/database/src/migrations/released.json', 'utf8')) as Record<string, string>;
const frozen = migrations.filter(({ name }) => name in released);

test('a step that was released is never edited again', () => {
  // The same as in scripts/generate-migration.mjs.
  const fingerprint = (step: object): string => createHash('sha256').update(JSON.stringify(step)).digest('hex');
  expect(Object.fromEntries(frozen.map((step) => [step.name, fingerprint(step)]))).toEqual(released);
});

describe.each(testDatabases())('the schema on $name', (database) => {
  const withDatabase = async (work: (source: DataSource) => Promise<void>): Promise<void> => {
    const source = await new DataSource(dataSourceOptions(await database.url(), entities)).initialize();
    try {
      await work(source);
    } finally {
      await source.destroy();
    }
  };

  test('after all steps is what the entities say (else: npm run migration:generate)', () =>
    withDatabase(async (source) => {
      expect((await migrate(source)).length).toBeGreaterThan(0);
      expect(await schemaDifference(source)).toEqual([]);
      expect(await migrate(source)).toEqual([]);
    }));

  test('rows of the version before come through, and its books still add up', () =>
    withDatabase(async (source) => {
      await migrate(source, frozen);
      const rows = readRows();
      await insertRows(source.manager, rows);
      await migrate(source);
      await ensureSchema(source);
      expect(await schemaDifference(source)).toEqual([]);

      for (const { tableName, target } of source.entityMetadatas)
        expect([tableName, (await source.manager.find(target)).length]).toEqual([tableName, rows[tableName]?.length ?? 0]);
      const books = await Reconciliation.over(new Transactions(source)).reconcile();
      expect(books).toMatchObject({ packs: 1, requests: 1, differences: [] });
    }));

  test('refuses amounts below zero, also where a table was made anew', () =>
    withDatabase(async (source) => {
      await migrate(source, frozen);
      await insertRows(source.manager, readRows());
      await migrate(source);
      const counted = source.entityMetadatas.flatMap(({ tableName, checks }) =>
        checks.flatMap(({ expression }) => {
          const [, column] = /^"(\w+)" >=? 0$/.exec(expression) ?? [];
          return column !== undefined && (readRows()[tableName]?.length ?? 0) > 0 ? [{ tableName, column }] : [];
        }),
      );
      expect(counted.length).toBeGreaterThan(3);
      for (const { tableName, column } of counted)
        await expect(source.query(`UPDATE "${tableName}" SET "${column}" = -1`)).rejects.toThrow(/CHECK|check/);
    }));
});
