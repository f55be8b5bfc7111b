import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabases } from '../support/databases.js';
import type { Engine } from './contract.js';

interface Engines {
  readonly all: readonly Engine[];
  close(): Promise<void>;
}

/** SQLite in files, and a PostgreSQL that is started on first use where TEST_POSTGRES_URL names none. */
export async function openEngines(): Promise<Engines> {
  const folder = await mkdtemp(join(tmpdir(), 'inference-layer-faults-'));
  let postgres: Promise<() => Promise<void>> | undefined;
  const sqlite: Engine = {
    name: 'SQLite',
    newDatabase: async () => `sqlite:${join(folder, `${randomBytes(6).toString('hex')}.sqlite`)}`,
  };
  const postgresql: Engine = {
    name: 'PostgreSQL',
    newDatabase: async () => {
      if (process.env['TEST_POSTGRES_URL'] === undefined) await (postgres ??= startPostgres());
      return testDatabases()
        .find(({ name }) => name === 'PostgreSQL')!
        .url();
    },
  };
  const close = async (): Promise<void> => {
    await (
      await postgres
    )?.();
    await rm(folder, { recursive: true, force: true });
  };
  return { all: [sqlite, postgresql], close };
}

/** The same server as that of the test run. Its scripts are no modules of the compiled program, so their place is told by the project. */
async function startPostgres(): Promise<() => Promise<void>> {
  const script = (name: string): Promise<{ default: () => Promise<void> }> =>
    import(join(process.cwd(), 'test/support', `${name}.mjs`)) as Promise<{ default: () => Promise<void> }>;
  await (await script('start-postgres')).default();
  return (await script('stop-postgres')).default;
}
