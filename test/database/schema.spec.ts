import 'reflect-metadata';
import { describe, expect, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataSourceOptions, migrate, schemaDifference } from '#database';
import { entities } from '../../apps/supernode/src/supernode.js';
import { testDatabases } from '../support/databases.js';

describe.each(testDatabases())('the schema on $name', (database) => {
  test('after all steps is what the entities say (else: npm run migration:generate -- <name>)', async () => {
    const source = await new DataSource(dataSourceOptions(await database.url(), entities)).initialize();
    try {
      expect((await migrate(source)).length).toBeGreaterThan(0);
      expect(await schemaDifference(source)).toEqual([]);
      expect(await migrate(source)).toEqual([]);
    } finally {
      await source.destroy();
    }
  });
});
