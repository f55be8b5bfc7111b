import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Environment, readSettings, SystemClock, SystemEntropy, type Settings } from '#config';
import { Devnet, type DevnetSupernodeFacts } from '#devnet';
import { providers } from '#inference';
import { createLogger, type WinstonLogger } from '#logs';
import { networks } from '#protocol';
import { createSupernode } from '../../supernode/src/supernode.js';
import { ensureFree, placesFor, type Place } from './addresses.js';

const SUPERNODES = 5;
export const RPC_HOST = '127.0.0.1';
export const RPC_PORT = networks.devnet.rpcPort;
export const USER = { user: 'devnet', password: 'devnet' } as const;

/** Real networks take 150 s a block; a person at a terminal does not want to. */
const BLOCKS = { everySeconds: 15, earlySeconds: 5 };
const USD_PER_PSL = '0.0005';

/** The simulated pasteld, listening; its data in `folder`. Throws AddressTaken. */
export async function startChain(folder: string): Promise<{ devnet: Devnet; places: Place[]; close(): Promise<void> }> {
  await ensureFree(RPC_HOST, RPC_PORT);
  const places = await placesFor(SUPERNODES);
  mkdirSync(folder, { recursive: true });
  const devnet = await Devnet.create({
    clock: new SystemClock(),
    entropy: new SystemEntropy(),
    dataFile: join(folder, 'chain.jsonl'),
    user: USER,
    supernodes: places.map(({ ip, port }, i) => ({ ...credentialsOf(i), ip, port })),
    blocks: BLOCKS,
    controls: process.env['DEVNET_CONTROLS'] === '1',
  });
  const listening = await devnet.listen(RPC_HOST, RPC_PORT);
  const close = async (): Promise<void> => {
    await devnet.close();
    await listening.close();
  };
  return { devnet, places, close };
}

/** One supernode with its own PastelID, database and address. Nest has one logger a process, so they share it. */
export async function startSupernode(settings: Settings, logger: WinstonLogger): Promise<NestExpressApplication> {
  // Its databases are nobody's books: they go along with the program.
  const app = await createSupernode({ settings, logger, schemaBy: 'migrate' });
  await app.listen(settings.http.port, settings.http.host);
  return app;
}

export function settingsOf({ ip, port }: DevnetSupernodeFacts, index: number, folder: string): Settings {
  const { user, password } = credentialsOf(index);
  return readSettings(
    new Environment({
      RPC_HOST,
      RPC_PORT: String(RPC_PORT),
      RPC_USER: user,
      RPC_PASSWORD: password,
      LOCAL_PASTEL_ID_PASSPHRASE: password,
      LISTEN_HOST: ip,
      UVICORN_PORT: String(port),
      SUPERNODE_API_PORT: 'listed',
      DATABASE_URL: `sqlite:${join(folder, user, 'supernode.sqlite')}`,
      LOG_FILE: join(folder, 'supernodes.log'),
      LOG_TO_CONSOLE: '0',
      MESSAGE_POLL_IN_SECONDS: '1',
      SANDBOX_PROVIDER: '1',
      FIXED_PSL_PRICE_IN_USD: USD_PER_PSL,
    }),
    providers,
  );
}

export const loggerOf = (all: readonly Settings[]): WinstonLogger =>
  createLogger(all[0]!.log, { clock: new SystemClock(), secrets: all.flatMap(({ secrets }) => secrets) });

const credentialsOf = (index: number) => ({ user: `sn${index + 1}`, password: `sn${index + 1}` });
