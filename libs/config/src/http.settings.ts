import type { Environment } from './environment.js';
import type { HttpSettings } from './slices.js';

const KNOWN_TOKENS = new Set(['changeme', 'password', 'secret', 'token', 'admin']);
export function httpSettings(env: Environment): HttpSettings {
  const operatorToken = env.secret(
    'OPERATOR_TOKEN',
    'Opens the operator routes from elsewhere than this machine; at least 16 characters; none by default',
  );
  if (operatorToken !== undefined && (operatorToken.length < 16 || KNOWN_TOKENS.has(operatorToken.toLowerCase()))) {
    env.refuse('OPERATOR_TOKEN', 'at least 16 characters of your own making');
  }
  return {
    host: env.text('LISTEN_HOST', '0.0.0.0', 'Address to listen on'),
    port: env.integer('UVICORN_PORT', 7123, 'Port to listen on; peers and clients expect 7123', { max: 65535 }),
    bodyBytesMax: env.integer('REQUEST_BODY_BYTES_MAX', 50 * 2 ** 20, 'Larger request bodies are refused with 413', {
      min: 1024,
    }),
    connectionsMax: env.integer('CONNECTIONS_MAX', 2000, 'Connections at the same time; further ones are closed at once', {
      min: 1,
    }),
    challengeSeconds: env.integer('CHALLENGE_EXPIRATION_TIME_IN_SECONDS', 300, 'Life of a challenge', { min: 1, max: 86_400 }),
    challengesOpenMax: env.integer('CHALLENGES_OPEN_MAX', 100_000, 'Open challenges in all', { min: 1 }),
    challengesOpenPerPastelIdMax: env.integer('CHALLENGES_OPEN_PER_PASTELID_MAX', 1000, 'Open challenges of one PastelID', {
      min: 1,
    }),
    localhostOnlyDisabled: env.flag(
      'TEMP_OVERRIDE_LOCALHOST_ONLY',
      false,
      'Opens the routes that are meant for this machine alone',
    ),
    operatorToken,
    corsOrigins: env.list('CORS_ORIGINS', ['*'], 'Origins that browsers may call from'),
    trustedProxies: env.list('TRUSTED_PROXIES', [], 'Proxies whose X-Forwarded-For is believed; none by default'),
    requestsPerMinutePerIp: env.integer('REQUESTS_PER_MINUTE_PER_IP', 1200, 'Further requests of one address are answered 429', {
      min: 1,
    }),
    requestsPerMinutePerPastelId: env.integer(
      'REQUESTS_PER_MINUTE_PER_PASTELID',
      1200,
      'The same for calls that one PastelID proves to be its own, from wherever they come',
      { min: 1 },
    ),
    dryRunsPerMinutePerIp: env.integer(
      'DRY_RUNS_PER_MINUTE_PER_IP',
      60,
      'The same for questions of one address for a price, which nobody signs',
      { min: 1 },
    ),
    shutdownGraceMs:
      env.integer('SHUTDOWN_GRACE_IN_SECONDS', 25, 'How long running requests may go on after SIGTERM', { max: 3600 }) * 1000,
    limitLoopback: env.flag('LIMIT_LOOPBACK', false, 'Count the requests of this machine towards the limit as well'),
  };
}

export function portOfPeers(env: Environment): number | 'listed' {
  const text = env.text(
    'SUPERNODE_API_PORT',
    '7123',
    "Port of the peers' HTTP API, or 'listed' for the port of the supernode list",
  );
  if (text === 'listed') return text;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  env.refuse('SUPERNODE_API_PORT', `a port or 'listed', got '${text}'`);
  return 7123;
}
