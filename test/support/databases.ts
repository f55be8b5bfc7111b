import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openDataSource, Transactions, type Entity } from '#database';
import type { DataSource } from 'typeorm';

/** A kind of database that a test runs on; for `describe.each(testDatabases())('$name', ({ url }) => …)`. */
export interface TestDatabase {
  readonly name: 'SQLite' | 'PostgreSQL';
  /** The address of a fresh, empty database at each call. */
  url(): Promise<string>;
}

/** SQLite in memory, and a database of its own in the PostgreSQL that the run has started. */
export const testDatabases = (): TestDatabase[] => [
  { name: 'SQLite', url: async () => 'sqlite::memory:' },
  { name: 'PostgreSQL', url: newPostgresDatabase },
];

async function newPostgresDatabase(): Promise<string> {
  const server = process.env['TEST_POSTGRES_URL'];
  if (server === undefined)
    throw new Error('TEST_POSTGRES_URL is not set: run through jest, whose global set-up starts PostgreSQL');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const client = new pg.Client({ connectionString: `${server}/postgres` });
  await client.connect();
  // The other strategy writes the whole template to the log.
  await client.query(`CREATE DATABASE ${name} STRATEGY FILE_COPY`);
  await client.end();
  return `${server}/${name}`;
}

/** A file: a node that is started again finds its books. */
export interface BooksOnFile {
  readonly url: string;
  remove(): Promise<void>;
}
export async function booksOnFile(): Promise<BooksOnFile> {
  const folder = await mkdtemp(join(tmpdir(), 'supernode-books-'));
  return { url: `sqlite:${join(folder, 'books.sqlite')}`, remove: () => rm(folder, { recursive: true }) };
}

/** Tables of just these entities in a fresh database, and what repositories need. Close it with `source.destroy()`. */
export async function openTestDatabase(
  database: TestDatabase,
  entities: readonly Entity[],
): Promise<{ source: DataSource; transactions: Transactions }> {
  const source = await openDataSource(await database.url(), entities, 'synchronize');
  return { source, transactions: new Transactions(source) };
}
