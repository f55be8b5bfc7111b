import { Environment, readSettings, settingSources, SystemClock } from '#config';
import { providers } from '#inference';
import { createLogger, secretsOf } from '#logs';
import { createSupernode } from './supernode.js';

try {
  const settings = readSettings(new Environment(settingSources()), providers);
  const { http, rpc, network } = settings;
  const logger = createLogger(settings.log, { clock: new SystemClock(), secrets: secretsOf(settings) });
  const app = await createSupernode({ settings, logger });
  app.enableShutdownHooks();
  await app.listen(http.port, http.host);
  console.log(
    `Supernode of the ${network.network.name} on http://${http.host}:${http.port}, pasteld at ${rpc.host}:${rpc.port}, Swagger at /`,
  );
} catch (error) {
  console.error(`The supernode cannot start. ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
