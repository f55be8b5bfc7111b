import type { DataSource, QueryRunner } from 'typeorm';
import type { Dialect, Migration } from './migration.js';
import { migrations as shippedMigrations } from './migrations/index.js';

/** The service does not start on such a database; the message says what to do. */
export class SchemaRefused extends Error {
  override readonly name: string = 'SchemaRefused';
}
/** The database was written by a newer version of this program, which may mean things that this one does not know. */
export class SchemaTooNew extends SchemaRefused {
  override readonly name = 'SchemaTooNew';
  constructor(readonly unknown: readonly string[]) {
    super(
      `The database has schema steps that this version does not know: ${unknown.join(', ')}. Start the newer version, or restore a backup.`,
    );
  }
}
/** The database was written by an older version, and an operator decides when it is changed. */
export class SchemaTooOld extends SchemaRefused {
  override readonly name = 'SchemaTooOld';
  constructor(readonly missing: readonly string[]) {
    super(
      `The database is that of an older version; these schema steps are missing: ${missing.join(', ')}. Stop every process that uses it, back it up, and run: npm run migrate`,
    );
  }
}

const TABLE = 'schema_step';
/** Arbitrary, but the same for every process, so that only one of them migrates at a time. */
const POSTGRES_LOCK = 712_320_241;

export const dialectOf = (source: DataSource): Dialect => (source.options.type === 'better-sqlite3' ? 'sqlite' : 'postgres');

/**
 * Applies the steps that the database has not seen, each in a transaction of its own together with its entry in the book. Of several
 * processes one works at a time; the others wait, and see that it is done.
 * Returns the names of the steps applied. Throws SchemaTooNew before anything is changed.
 */
export function migrate(source: DataSource, migrations: readonly Migration[] = shippedMigrations): Promise<string[]> {
  return locked(source, async (runner) => {
    const { missing, unknown } = await stepsIn(runner, migrations);
    if (unknown.length > 0) throw new SchemaTooNew(unknown);
    return applied(runner, missing);
  });
}

/**
 * For the start of a service: the schema is exactly that of this version, or the database is refused and nothing is changed. Where there
 * is no table at all, nothing can be lost: the tables are made.
 */
export function ensureSchema(source: DataSource, migrations: readonly Migration[] = shippedMigrations): Promise<void> {
  // Under the lock: another process may be making the tables just now.
  return locked(source, async (runner) => {
    const isNew = await isEmpty(runner);
    const { missing, unknown } = await stepsIn(runner, migrations);
    if (unknown.length > 0) throw new SchemaTooNew(unknown);
    if (isNew) await applied(runner, missing);
    else if (missing.length > 0) throw new SchemaTooOld(missing.map(({ name }) => name));
  });
}

interface Steps {
  readonly missing: readonly Migration[];
  readonly unknown: readonly string[];
}

async function stepsIn(runner: QueryRunner, migrations: readonly Migration[]): Promise<Steps> {
  const booked = new Set(await namesBooked(runner));
  const known = new Set(migrations.map(({ name }) => name));
  return {
    missing: [...migrations].sort((a, b) => (a.name < b.name ? -1 : 1)).filter(({ name }) => !booked.has(name)),
    unknown: [...booked].filter((name) => !known.has(name)).sort(),
  };
}

async function namesBooked(runner: QueryRunner): Promise<string[]> {
  if (!(await runner.hasTable(TABLE))) return [];
  return ((await runner.query(`SELECT "name" FROM "${TABLE}"`)) as { name: string }[]).map(({ name }) => name);
}

async function isEmpty(runner: QueryRunner): Promise<boolean> {
  const tables =
    dialectOf(runner.dataSource) === 'sqlite'
      ? `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' LIMIT 1`
      : `SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() LIMIT 1`;
  return ((await runner.query(tables)) as unknown[]).length === 0;
}

/** PostgreSQL: one process at a time. SQLite has no such lock; there every step is a transaction that shuts the others out. */
async function locked<T>(source: DataSource, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const isPostgres = dialectOf(source) === 'postgres';
  const runner = source.createQueryRunner();
  try {
    if (isPostgres) await runner.query(`SELECT pg_advisory_lock(${POSTGRES_LOCK})`);
    try {
      // SQLite: rebuilding a table must not trip over the foreign keys that point to it.
      await runner.beforeMigration();
      return await work(runner);
    } finally {
      await runner.afterMigration();
      if (isPostgres) await runner.query(`SELECT pg_advisory_unlock(${POSTGRES_LOCK})`);
    }
  } finally {
    await runner.release();
  }
}

async function applied(runner: QueryRunner, missing: readonly Migration[]): Promise<string[]> {
  const names: string[] = [];
  for (const migration of missing) if (await isAppliedNow(runner, migration)) names.push(migration.name);
  return names;
}

/** False where another process has applied it meanwhile. */
async function isAppliedNow(runner: QueryRunner, migration: Migration): Promise<boolean> {
  const dialect = dialectOf(runner.dataSource);
  await runner.query(dialect === 'sqlite' ? 'BEGIN EXCLUSIVE' : 'BEGIN');
  try {
    await runner.query(`CREATE TABLE IF NOT EXISTS "${TABLE}" ("name" text PRIMARY KEY NOT NULL)`);
    const isMissing = !(await namesBooked(runner)).includes(migration.name);
    if (isMissing) {
      for (const statement of migration[dialect]) await runner.query(statement);
      await runner.query(`INSERT INTO "${TABLE}" ("name") VALUES (${dialect === 'postgres' ? '$1' : '?'})`, [migration.name]);
    }
    await runner.query('COMMIT');
    return isMissing;
  } catch (error) {
    await runner.query('ROLLBACK');
    throw error;
  }
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
