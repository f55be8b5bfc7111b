import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Environment, readSettings, SystemClock, SystemEntropy } from '#config';
import { Devnet, type DevnetSupernodeFacts } from '#devnet';
import { networks } from '#protocol';
import { createSupernode } from '../../supernode/src/supernode.js';
import { ensureFree, placesFor, type Place } from './addresses.js';

export const SUPERNODES = 5;
export const RPC_HOST = '127.0.0.1';
export const RPC_PORT = networks.devnet.rpcPort;
export const USER = { user: 'devnet', password: 'devnet' } as const;

/** Real networks take 150 s a block; a person at a terminal does not want to. */
const BLOCKS = { everySeconds: 15, earlySeconds: 5 };
const USD_PER_PSL = '0.0005';

export interface LocalNetwork {
  readonly devnet: Devnet;
  readonly places: readonly Place[];
  readonly supernodes: readonly NestExpressApplication[];
  close(): Promise<void>;
}

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

/** One supernode with its own PastelID, database and address. */
export async function startSupernode(
  facts: DevnetSupernodeFacts,
  index: number,
  folder: string,
): Promise<NestExpressApplication> {
  const { user, password } = credentialsOf(index);
  const settings = readSettings(
    new Environment({
      RPC_HOST,
      RPC_PORT: String(RPC_PORT),
      RPC_USER: user,
      RPC_PASSWORD: password,
      LOCAL_PASTEL_ID_PASSPHRASE: password,
      LISTEN_HOST: facts.ip,
      UVICORN_PORT: String(facts.port),
      SUPERNODE_API_PORT: 'listed',
      DATABASE_URL: `sqlite:${join(folder, user, 'supernode.sqlite')}`,
      LOG_FILE: join(folder, user, 'supernode.log'),
      LOG_TO_CONSOLE: '0',
      MESSAGE_POLL_IN_SECONDS: '1',
      SANDBOX_PROVIDER: '1',
      FIXED_PSL_PRICE_IN_USD: USD_PER_PSL,
    }),
  );
  mkdirSync(join(folder, user), { recursive: true });
  const app = await createSupernode({ settings, logger: ['error', 'warn'] });
  await app.listen(facts.port, facts.ip);
  return app;
}

const credentialsOf = (index: number) => ({ user: `sn${index + 1}`, password: `sn${index + 1}` });
