import { Environment, readSettings, SettingSources, SystemClock } from '#config';
import { drainAndClose } from '#http';
import { providers } from '#inference';
import { createLogger } from '#logs';
import { createSupernode } from './supernode.js';

/** The same signal a second time ends the process at once. */
async function stop(app: Awaited<ReturnType<typeof createSupernode>>, graceMs: number): Promise<void> {
  console.log(`Stopping; what runs has ${graceMs / 1000} s to come to its end`);
  const isDrained = await drainAndClose(app, graceMs);
  console.log(isDrained ? 'Stopped' : 'Stopped; what was cut off goes on at the next start');
  process.exit(0);
}

try {
  const settings = readSettings(new Environment(SettingSources.ofMachine()), providers);
  const { http, rpc, network } = settings;
  const logger = createLogger(settings.log, { clock: new SystemClock(), secrets: settings.secrets });
  for (const warning of settings.warnings) logger.warn(warning, 'Settings');
  const app = await createSupernode({ settings, logger });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(app, http.shutdownGraceMs));
  await app.listen(http.port, http.host);
  console.log(
    `Supernode of the ${network.network.name} on http://${http.host}:${http.port}, pasteld at ${rpc.host}:${rpc.port}, Swagger at /`,
  );
} catch (error) {
  console.error(`The supernode cannot start. ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
