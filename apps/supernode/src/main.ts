// Comes first: see there.
import { drainOnStop } from './stop-signals.js';
import { Environment, readSettings, SettingSources, SystemClock } from '#config';
import { drainAndClose } from '#http';
import { providers } from '#inference';
import { createLogger } from '#logs';
import { createSupernode } from './supernode.js';

/** Databases, connections and the log are closed within this, after the grace. */
const CLOSE_MS_MAX = 5_000;

try {
  const settings = readSettings(new Environment(SettingSources.ofMachine()), providers);
  const { http, rpc, network } = settings;
  const logger = createLogger(settings.log, { clock: new SystemClock(), secrets: settings.secrets });
  for (const warning of settings.warnings) logger.warn(warning, 'Settings');
  const app = await createSupernode({ settings, logger });
  const listening = app.listen(http.port, http.host);
  const run = async (): Promise<void> => {
    console.log(`Stopping; what runs has ${http.shutdownGraceMs / 1000} s to come to its end`);
    await listening;
    const isDrained = await drainAndClose(app, http.shutdownGraceMs);
    console.log(isDrained ? 'Stopped' : 'Stopped; what was cut off goes on at the next start');
  };
  drainOnStop({ run, msMax: http.shutdownGraceMs + CLOSE_MS_MAX });
  await listening;
  console.log(
    `Supernode of the ${network.network.name} on http://${http.host}:${http.port}, pasteld at ${rpc.host}:${rpc.port}, Swagger at /`,
  );
} catch (error) {
  console.error(`The supernode cannot start. ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
