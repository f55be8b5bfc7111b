import { networkOf, rpcSettings } from './chain.settings.js';
import { SettingsError, type Environment } from './environment.js';
import { httpSettings, portOfPeers } from './http.settings.js';
import { inferenceSettings } from './inference.settings.js';
import { menuSettings } from './menu.settings.js';
import { purchaseSettings } from './purchase.settings.js';
import { FERNET_KEY_FILE, SECRETS_FILE, SECRETS_KEY_FILE } from './sources.js';
import type { ProviderVariables, Settings } from './slices.js';

/**
 * Names and defaults are those of the original's shipped `.env` (credit-packs spec 4.3, messaging spec 1.2).
 * @param providers the model services that may be set up; none for programs that run no inference
 */
export function readSettings(env: Environment, providers: readonly ProviderVariables[] = []): Settings {
  const rpc = rpcSettings(env);
  const network = networkOf(env, rpc.port);
  const settings = {
    rpc,
    network: { network },
    identity: {
      pastelId: env.optional('LOCAL_PASTEL_ID', "The node's PastelID; asked of pasteld when empty"),
      passphrase: env.secret('LOCAL_PASTEL_ID_PASSPHRASE', "Unlocks the node's PastelID; genpassphrase of pastel.conf works too"),
    },
    http: httpSettings(env),
    database: {
      url: env.address(
        'DATABASE_URL',
        'sqlite:./data/supernode.sqlite',
        'sqlite:<file> or postgres://user:password@host/database',
      ),
    },
    peers: peersSettings(env),
    freshness: freshnessSettings(env),
    purchase: purchaseSettings(env),
    inference: inferenceSettings(env),
    menu: menuSettings(env),
    providers: { options: new Map(providers.flatMap((provider) => optionsOf(provider, env))) },
    messaging: messagingSettings(env),
    log: {
      level: env.choice('LOG_LEVEL', ['error', 'warn', 'info', 'debug'], 'info', 'What is worth a line'),
      file: env.text('LOG_FILE', 'opennode_fastapi_log.txt', 'Rotated at 10 MiB into old_logs/'),
      toConsole: env.flag('LOG_TO_CONSOLE', true, 'Print the log on the console as well'),
    },
  };
  describeSecretFiles(env);
  if (env.problems.length > 0) throw new SettingsError(env.problems);
  return { ...settings, secrets: env.secrets, warnings: env.warnings };
}

/** Read where the sources are opened, before any other setting. */
function describeSecretFiles(env: Environment): void {
  env.text('SECRETS_FILE', SECRETS_FILE, 'What `npx pastel-inference secrets` keeps, encrypted');
  env.text(
    'SECRETS_KEY_FILE',
    SECRETS_KEY_FILE,
    "Its key; nobody but its owner may read it. Keep it apart from the node's folder",
  );
  env.text('FERNET_KEY_FILE', FERNET_KEY_FILE, 'Opens secrets that the original encrypted in its .env');
}

function optionsOf(provider: ProviderVariables, env: Environment): [string, unknown][] {
  const options = provider.setUp(env);
  return options === undefined ? [] : [[provider.name, options]];
}

function peersSettings(env: Environment) {
  return {
    apiPort: portOfPeers(env),
    messagingTimeoutMs:
      env.integer('MESSAGING_TIMEOUT_IN_SECONDS', 60, 'Limit for a call to a peer', { min: 1, max: 3600 }) * 1000,
    concurrentRequestsMax: env.integer('MAXIMUM_NUMBER_OF_CONCURRENT_PEER_REQUESTS', 32, 'Calls to peers at the same time', {
      min: 1,
      max: 1000,
    }),
  };
}

function freshnessSettings(env: Environment) {
  return {
    timestampSecondsMax: env.number(
      'MAXIMUM_LOCAL_UTC_TIMESTAMP_DIFFERENCE_IN_SECONDS',
      200,
      'How far the clock of a message may be off',
    ),
    blocksMax: env.integer(
      'MAXIMUM_LOCAL_PASTEL_BLOCK_HEIGHT_DIFFERENCE_IN_BLOCKS',
      1,
      'How far the block height of a message may be off',
    ),
  };
}

function messagingSettings(env: Environment) {
  return {
    obsoleteAfterDays: env.integer('NUMBER_OF_DAYS_BEFORE_MESSAGES_ARE_CONSIDERED_OBSOLETE', 3, 'Older messages are purged', {
      min: 1,
    }),
    userMessagesKeptDays: env.integer('NUMBER_OF_DAYS_USER_MESSAGES_ARE_KEPT', 90, 'Older messages between users are purged', {
      min: 1,
      max: 36_500,
    }),
    pollSeconds: env.integer('MESSAGE_POLL_IN_SECONDS', 5, "How often pasteld's inbox is read", { min: 1, max: 3600 }),
    audience: env.integer(
      'NUMBER_OF_SUPERNODES_TOLD_OF_AN_INFERENCE',
      4,
      'Supernodes that get a copy of a response and of a result',
      { max: 100 },
    ),
  };
}
