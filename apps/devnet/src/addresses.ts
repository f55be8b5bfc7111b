import { createServer } from 'node:net';

/** The port that clients of the public network know. */
const API_PORT = 7123;
/** Where a supernode's HTTP API listens, and what the supernode list says of it. */
export interface Place {
  readonly ip: string;
  readonly port: number;
}

/** Somebody else holds an address that the devnet needs. */
export class AddressTaken extends Error {
  override readonly name = 'AddressTaken';
  constructor(readonly address: string) {
    super(`${address} is taken. Stop what listens there (perhaps a devnet that still runs), then start again.`);
  }
}

/**
 * 127.0.0.1, 127.0.0.2 … all on port 7123; where the system has no such addresses (macOS), ports 7123, 7124 … on 127.0.0.1.
 * Throws {@link AddressTaken}.
 */
export async function placesFor(count: number): Promise<Place[]> {
  const hasMore = (await tryToListen('127.0.0.2', 0)) === 'free';
  const places = Array.from({ length: count }, (_, i) =>
    hasMore ? { ip: `127.0.0.${i + 1}`, port: API_PORT } : { ip: '127.0.0.1', port: API_PORT + i },
  );
  for (const { ip, port } of places) await ensureFree(ip, port);
  return places;
}

export async function ensureFree(host: string, port: number): Promise<void> {
  if ((await tryToListen(host, port)) !== 'free') throw new AddressTaken(`${host}:${port}`);
}

function tryToListen(host: string, port: number): Promise<'free' | 'taken'> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve('taken'));
    server.listen(port, host, () => server.close(() => resolve('free')));
  });
}
