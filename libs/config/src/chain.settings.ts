import { networkOfRpcPort, networks, type Network } from '#protocol';
import type { Environment } from './environment.js';
import type { RpcSettings } from './slices.js';

export function networkOf(env: Environment, rpcPort: number): Network {
  const name = env.choice(
    'NETWORK',
    ['', 'mainnet', 'testnet', 'devnet'],
    '',
    'Needed only where RPC_PORT is none of the three well-known ports',
  );
  const network = name === '' ? networkOfRpcPort(rpcPort) : networks[name];
  if (!network) env.refuse('RPC_PORT', '9932 (mainnet), 19932 (testnet) or 29932 (devnet), or NETWORK to be set');
  return network ?? networks.devnet;
}

export function rpcSettings(env: Environment): RpcSettings {
  return {
    host: env.text('RPC_HOST', '127.0.0.1', "Where pasteld's JSON-RPC listens"),
    port: env.integer('RPC_PORT', 19932, 'Also says which network it is: 9932 mainnet, 19932 testnet, 29932 devnet', {
      min: 1,
      max: 65535,
    }),
    user: env.text('RPC_USER', '', 'rpcuser of pastel.conf'),
    password: env.secret('RPC_PASSWORD', 'rpcpassword of pastel.conf') ?? '',
    timeoutMs: env.integer('RPC_TIMEOUT_IN_SECONDS', 20, 'Limit for one call', { min: 1, max: 600 }) * 1000,
    concurrentRequestsMax: env.integer('MAXIMUM_NUMBER_OF_CONCURRENT_RPC_REQUESTS', 100, 'Calls to pasteld at the same time', {
      min: 1,
      max: 500,
    }),
    supernodeListMaxAgeMs:
      env.number('SUPERNODE_DATA_CACHE_EVICTION_TIME_IN_MINUTES', 60, 'How long the supernode list is kept') * 60_000,
  };
}
