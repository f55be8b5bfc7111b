import { rmSync } from 'node:fs';
import { endRun } from './run.mjs';

export default async function stopPostgres() {
  const { server, databaseDir, folder } = globalThis.__RUN__ ?? {};
  if (!server) return;
  await server.stop();
  try {
    endRun(folder, databaseDir);
  } finally {
    rmSync(databaseDir, { recursive: true, force: true });
  }
}
