import { DataSource, type DataSourceOptions, type EntitySchema } from 'typeorm';
import { takeFile, type Release } from './file-lock.js';
import { ensureSchema, migrate } from './migrate.js';

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- TypeORM's own word for a decorated entity
export type Entity = Function | EntitySchema;
/**
 * Where the schema comes from.
 * - `check`: it is that of this version, or the start is refused; an empty database gets its tables.
 * - `migrate`: it is brought up to date first.
 * - `synchronize`: it is made of just the entities given; for tests and throw-away databases.
 */
export type SchemaBy = 'check' | 'migrate' | 'synchronize';

/** How long a statement waits for another process that is writing to the same SQLite file. */
const SQLITE_BUSY_TIMEOUT_MS = 5000;
const POSTGRES_CONNECTIONS_MAX = 20;

/** `sqlite:<file>`, `sqlite::memory:` (also the original's `sqlite+aiosqlite:///file`), or `postgres://…`. */
export function dataSourceOptions(url: string, entities: readonly Entity[]): DataSourceOptions {
  const file = /^sqlite(?:\+\w+)?:(?:\/\/\/)?(.+)$/.exec(url);
  if (!file) return { type: 'postgres', url, entities: [...entities], poolSize: POSTGRES_CONNECTIONS_MAX };
  const database = file[1]!;
  return {
    type: 'better-sqlite3',
    database,
    entities: [...entities],
    enableWAL: database !== ':memory:',
    timeout: SQLITE_BUSY_TIMEOUT_MS,
    prepareDatabase: (connection: unknown) => {
      const sqlite = connection as { pragma(text: string): unknown };
      // Safe together with WAL: a power cut may lose the newest commits, never the database.
      for (const setting of ['foreign_keys = ON', 'synchronous = NORMAL']) sqlite.pragma(setting);
    },
  };
}

/** Gives its file back once it is closed. */
class OwningDataSource extends DataSource {
  constructor(
    options: DataSourceOptions,
    private readonly release: Release,
  ) {
    super(options);
  }
  override async destroy(): Promise<void> {
    try {
      await super.destroy();
    } finally {
      this.release();
    }
  }
}

/**
 * Connected; a SQLite file is this process's alone until it is closed.
 * @param waitMs how long to wait for another process that has the SQLite file
 * @throws DatabaseInUse
 */
export async function openOwned(url: string, entities: readonly Entity[], waitMs = 0): Promise<DataSource> {
  const options = dataSourceOptions(url, entities);
  const isFile = options.type === 'better-sqlite3' && options.database !== ':memory:';
  const source = new OwningDataSource(options, isFile ? takeFile(options.database, waitMs) : () => undefined);
  try {
    return await source.initialize();
  } catch (error) {
    await source.destroy().catch(() => undefined);
    throw error;
  }
}

/** The same, with the schema in place. Throws SchemaRefused. */
export async function openDataSource(url: string, entities: readonly Entity[], schemaBy: SchemaBy): Promise<DataSource> {
  const source = await openOwned(url, entities);
  try {
    if (schemaBy === 'migrate') await migrate(source);
    else if (schemaBy === 'check') await ensureSchema(source);
    else await source.synchronize();
  } catch (error) {
    await source.destroy();
    throw error;
  }
  return source;
}
