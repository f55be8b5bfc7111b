import { DataSource, type DataSourceOptions, type EntitySchema } from 'typeorm';
import { migrate } from './migrate.js';

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- TypeORM's own word for a decorated entity
export type Entity = Function | EntitySchema;
export type SchemaBy = 'migrations' | 'synchronize';

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

/** Connected, with the schema in place. Throws SchemaTooNew. */
export async function openDataSource(url: string, entities: readonly Entity[], schemaBy: SchemaBy): Promise<DataSource> {
  const source = await new DataSource(dataSourceOptions(url, entities)).initialize();
  try {
    if (schemaBy === 'migrations') await migrate(source);
    else await source.synchronize();
  } catch (error) {
    await source.destroy();
    throw error;
  }
  return source;
}
