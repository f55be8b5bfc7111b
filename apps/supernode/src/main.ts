import { Environment, readSettings, settingSources } from '#config';
import { createSupernode } from './supernode.js';

try {
  const settings = readSettings(new Environment(settingSources()));
  const app = await createSupernode({ settings, logger: ['error', 'warn', 'log'] });
  await app.listen(settings.http.port, settings.http.host);
  console.log(
    `Supernode on http://${settings.http.host}:${settings.http.port}, Swagger at its root, pasteld at ${settings.rpc.host}:${settings.rpc.port}`,
  );
} catch (error) {
  console.error(`The supernode cannot start. ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
