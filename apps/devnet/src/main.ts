import { join } from 'node:path';
import { namesNode, SettingSources } from '#config';
import { AddressTaken } from './addresses.js';
import { runDemo } from './demo.js';
import { loggerOf, RPC_HOST, RPC_PORT, settingsOf, startChain, startSupernode, USER } from './network.js';
import { Screen } from './screen.js';
import { UserFile } from './user-file.js';

const FOLDER = join('data', 'devnet');
const SHUTDOWN_MS_MAX = 4500;

const closers: (() => Promise<unknown>)[] = [];
let isClosing = false;

/** Everything that was started, the newest first; whatever hangs is left behind after a while. */
async function closeAll(exitCode: number): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  setTimeout(() => process.exit(exitCode), SHUTDOWN_MS_MAX).unref();
  const [chain, ...supernodes] = closers;
  await Promise.allSettled(supernodes.map((close) => close()));
  await chain?.();
  process.exit(exitCode);
}

async function main(): Promise<void> {
  const screen = new Screen();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      screen.line('\nStopping …');
      void closeAll(0);
    });

  screen.heading('A Pastel network on this machine');
  const chain = await screen.run(
    'Start the chain (a simulated pasteld)',
    () => startChain(FOLDER),
    ({ devnet: { state } }) =>
      `http://${RPC_HOST}:${RPC_PORT}, user ${USER.user}, password ${USER.password}, height ${state.ledger.height}`,
  );
  const { devnet, places } = chain;
  closers.push(() => chain.close());
  if (places[1]?.ip === '127.0.0.1')
    screen.line('  This system has no 127.0.0.2: the supernodes share 127.0.0.1 on ports 7123 to 7127.');
  await screen.run(
    'Start five supernodes',
    async () => {
      const settings = devnet.supernodes.map((facts, index) => settingsOf(facts, index, FOLDER));
      const logger = loggerOf(settings);
      for (const [index, own] of settings.entries()) {
        const app = await startSupernode(own, logger);
        closers.push(() => app.close());
        screen.progress(`${index + 1} of ${settings.length}`);
      }
    },
    () => places.map(({ ip, port }) => `${ip}:${port}`).join(', '),
  );

  screen.heading('A user buys credits and spends them');
  const user = await runDemo(screen, new UserFile(join(FOLDER, 'user.json')));
  showWhatNext(screen, user.pastelId);
}

function showWhatNext(screen: Screen, pastelId: string): void {
  screen.heading('Ready. The network stays up until Ctrl-C; data is kept in ./data (npm run reset empties it).');
  screen.line('  Swagger       http://127.0.0.1:7123');
  screen.line(`  The user      ${pastelId}`);
  screen.line('  Try next, in another terminal:');
  screen.line('    npm run cli -- network');
  screen.line('    npm run cli -- infer "Why is the sky blue?"');
  screen.line('    curl http://127.0.0.1:7123/get_inference_model_menu');
}

try {
  if (namesNode(SettingSources.ofMachine())) await import('../../supernode/src/main.js');
  else await main();
} catch (error) {
  if (!(error instanceof AddressTaken)) console.error(error);
  else console.error(error.message);
  await closeAll(1);
}
