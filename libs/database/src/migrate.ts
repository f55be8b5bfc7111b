import type { DataSource, QueryRunner } from 'typeorm';
import type { Dialect, Migration } from './migration.js';
import { migrations as shippedMigrations } from './migrations/index.js';

/** The database was written by a newer version of this program, which may mean things that this one does not know. */
export class SchemaTooNew extends Error {
  override readonly name = 'SchemaTooNew';
  constructor(readonly unknown: readonly string[]) {
    super(
      `The database has schema steps that this version does not know: ${unknown.join(', ')}. Start the newer version, or restore a backup.`,
    );
  }
}

const TABLE = 'schema_step';
/** Arbitrary, but the same for every process, so that only one of them migrates at a time. */
const POSTGRES_LOCK = 712_320_241;

export const dialectOf = (source: DataSource): Dialect => (source.options.type === 'better-sqlite3' ? 'sqlite' : 'postgres');

/**
 * Applies the steps that the database has not seen, each in a transaction of its own together with its entry in the book.
 * Returns the names of the steps applied. Throws SchemaTooNew before anything is changed.
 */
export async function migrate(source: DataSource, migrations: readonly Migration[] = shippedMigrations): Promise<string[]> {
  const dialect = dialectOf(source);
  const runner = source.createQueryRunner();
  try {
    if (dialect === 'postgres') await runner.query(`SELECT pg_advisory_lock(${POSTGRES_LOCK})`);
    try {
      // SQLite: rebuilding a table must not trip over the foreign keys that point to it.
      await runner.beforeMigration();
      return await applyMissing(runner, dialect, migrations);
    } finally {
      await runner.afterMigration();
      if (dialect === 'postgres') await runner.query(`SELECT pg_advisory_unlock(${POSTGRES_LOCK})`);
    }
  } finally {
    await runner.release();
  }
}

async function applyMissing(runner: QueryRunner, dialect: Dialect, migrations: readonly Migration[]): Promise<string[]> {
  await runner.query(`CREATE TABLE IF NOT EXISTS "${TABLE}" ("name" text PRIMARY KEY NOT NULL)`);
  const rows = (await runner.query(`SELECT "name" FROM "${TABLE}"`)) as { name: string }[];
  const applied = new Set(rows.map(({ name }) => name));
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...applied].filter((name) => !known.has(name)).sort();
  if (unknown.length > 0) throw new SchemaTooNew(unknown);

  const missing = [...migrations].sort((a, b) => (a.name < b.name ? -1 : 1)).filter(({ name }) => !applied.has(name));
  for (const migration of missing) {
    await runner.startTransaction();
    try {
      for (const statement of migration[dialect]) await runner.query(statement);
      await runner.query(`INSERT INTO "${TABLE}" ("name") VALUES (${dialect === 'postgres' ? '$1' : '?'})`, [migration.name]);
      await runner.commitTransaction();
    } catch (error) {
      await runner.rollbackTransaction();
      throw error;
    }
  }
  return missing.map(({ name }) => name);
}

/** The statements that would make the schema what the entities say; none when both agree. */
export async function schemaDifference(source: DataSource): Promise<string[]> {
  const { upQueries } = await source.driver.createSchemaBuilder().log();
  return upQueries.map(({ query, parameters }) => {
    if (parameters !== undefined && parameters.length > 0)
      throw new Error(`A schema statement with parameters cannot be written down: ${query}`);
    return query;
  });
}
