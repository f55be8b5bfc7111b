import { networkOfRpcPort, networks, type Network } from '#protocol';
import { SettingsError, type Environment } from './environment.js';

// Each slice is a class, so that it is its own injection token and a service asks for just the slice it uses.
export class RpcSettings {
  readonly host!: string;
  readonly port!: number;
  readonly user!: string;
  readonly password!: string;
  readonly timeoutMs!: number;
  readonly concurrentRequestsMax!: number;
  /** How long a supernode list may be served before it is fetched again. */
  readonly supernodeListMaxAgeMs!: number;
}
export class IdentitySettings {
  /** Which PastelID the node signs with; found through `masternode status` when absent. */
  readonly pastelId!: string | undefined;
  readonly passphrase!: string | undefined;
}
export class HttpSettings {
  readonly host!: string;
  readonly port!: number;
  readonly bodyBytesMax!: number;
  readonly challengeSeconds!: number;
  readonly challengesOpenMax!: number;
  readonly challengesOpenPerPastelIdMax!: number;
  readonly localhostOnlyDisabled!: boolean;
  readonly operatorToken!: string | undefined;
  readonly corsOrigins!: readonly string[];
  readonly trustedProxies!: readonly string[];
  readonly requestsPerMinutePerIp!: number;
  readonly limitLoopback!: boolean;
}
export class DatabaseSettings {
  readonly url!: string;
}
export class PeerSettings {
  /** `listed`: the port of the supernode list's address; clients of the public network know 7123 alone. */
  readonly apiPort!: number | 'listed';
  readonly messagingTimeoutMs!: number;
  readonly concurrentRequestsMax!: number;
}
export class FreshnessSettings {
  readonly timestampSecondsMax!: number;
  readonly blocksMax!: number;
}
export class PurchaseSettings {
  readonly creditsMin!: number;
  readonly creditsMax!: number;
  readonly targetUsdPerCredit!: number;
  readonly targetProfitMargin!: number;
  readonly priceDifferenceMax!: number;
  readonly candidatesMin!: number;
  readonly quorum!: number;
  readonly majority!: number;
  /** Share of all that were asked which every later check of the ticket demands. */
  readonly majorityOfAsked!: number;
  readonly peerTimeoutMs!: number;
  readonly burnWindowBlocks!: number;
  readonly burnConfirmations!: number;
  /** An over-paid burn that nothing ties to the buyer waits longer, so that its true owner's ticket would show first. */
  readonly overpaidBurnConfirmations!: number;
  readonly storageRetryBlocks!: number;
  readonly openOffersPerPastelIdMax!: number;
  readonly offerMinutes!: number;
  /** Fixed price, as on the devnet; otherwise the market is asked. */
  readonly fixedUsdPerPsl!: number | undefined;
  readonly priceMaxAgeMs!: number;
  readonly ticketScanHeight!: number;
}
export class InferenceSettings {
  readonly minimumCostTenths!: number;
  readonly confirmationBlocks!: number;
  readonly resultRetentionDays!: number;
  readonly openQuotesPerPastelIdMax!: number;
  readonly executionsMax!: number;
  readonly executionSecondsMax!: number;
  readonly executionAttemptsMax!: number;
  readonly sandboxEnabled!: boolean;
  /** Base URL such as `http://127.0.0.1:11434/v1`. */
  readonly openAiCompatibleUrl!: string | undefined;
  readonly openAiCompatibleKey!: string | undefined;
  readonly openAiCompatibleModels!: readonly string[];
  readonly openAiCompatibleUsdPerMillionInputTokens!: number;
  readonly openAiCompatibleUsdPerMillionOutputTokens!: number;
}
export class MessagingSettings {
  readonly obsoleteAfterDays!: number;
  readonly userMessagesKeptDays!: number;
  readonly pollSeconds!: number;
  readonly audience!: number;
}
export class LogSettings {
  readonly level!: string;
  readonly file!: string;
  readonly toConsole!: boolean;
}
export class NetworkSettings {
  readonly network!: Network;
}

/** Everything that an operator can set, checked. */
export interface Settings {
  readonly network: NetworkSettings;
  readonly rpc: RpcSettings;
  readonly identity: IdentitySettings;
  readonly http: HttpSettings;
  readonly database: DatabaseSettings;
  readonly peers: PeerSettings;
  readonly freshness: FreshnessSettings;
  readonly purchase: PurchaseSettings;
  readonly inference: InferenceSettings;
  readonly messaging: MessagingSettings;
  readonly log: LogSettings;
}

/** Names and defaults are those of the original's shipped `.env` (credit-packs spec 4.3, messaging spec 1.2). */
export function readSettings(env: Environment): Settings {
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
      url: env.text('DATABASE_URL', 'sqlite:./data/supernode.sqlite', 'sqlite:<file> or postgres://user@host/database'),
    },
    peers: {
      apiPort: portOfPeers(env),
      messagingTimeoutMs:
        env.integer('MESSAGING_TIMEOUT_IN_SECONDS', 60, 'Limit for a call to a peer', { min: 1, max: 3600 }) * 1000,
      concurrentRequestsMax: env.integer('MAXIMUM_NUMBER_OF_CONCURRENT_PEER_REQUESTS', 32, 'Calls to peers at the same time', {
        min: 1,
        max: 1000,
      }),
    },
    freshness: {
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
    },
    purchase: purchaseSettings(env),
    inference: inferenceSettings(env),
    messaging: {
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
    },
    log: {
      level: env.choice('LOG_LEVEL', ['error', 'warn', 'info', 'debug'], 'info', 'What is worth a line'),
      file: env.text('LOG_FILE', 'opennode_fastapi_log.txt', 'Rotated at 10 MiB into old_logs/'),
      toConsole: env.flag('LOG_TO_CONSOLE', true, 'Print the log on the console as well'),
    },
  };
  if (env.problems.length > 0) throw new SettingsError(env.problems);
  return settings;
}

function networkOf(env: Environment, rpcPort: number): Network {
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

function rpcSettings(env: Environment): RpcSettings {
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

const KNOWN_TOKENS = new Set(['changeme', 'password', 'secret', 'token', 'admin']);
function httpSettings(env: Environment): HttpSettings {
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
    limitLoopback: env.flag('LIMIT_LOOPBACK', false, 'Count the requests of this machine towards the limit as well'),
  };
}

function portOfPeers(env: Environment): number | 'listed' {
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

function purchaseSettings(env: Environment): PurchaseSettings {
  const fixed = env.number('FIXED_PSL_PRICE_IN_USD', 0, 'Price of 1 PSL where there is no market; 0 asks the market');
  return {
    creditsMin: env.integer('MINIMUM_CREDITS_PER_CREDIT_PACK', 10, 'Smallest pack', { min: 1 }),
    creditsMax: env.integer('MAXIMUM_CREDITS_PER_CREDIT_PACK', 1_000_000, 'Largest pack', { min: 1, max: 1_000_000_000 }),
    targetUsdPerCredit: env.number('TARGET_VALUE_PER_CREDIT_IN_USD', 0.01, 'Value of a credit before the margin', { min: 1e-9 }),
    targetProfitMargin: env.number('TARGET_PROFIT_MARGIN', 0.15, 'Share of the price that is profit', { max: 0.99 }),
    priceDifferenceMax: env.number(
      'MAXIMUM_LOCAL_CREDIT_PRICE_DIFFERENCE_TO_ACCEPT_CREDIT_PRICING',
      0.05,
      "How far a peer's price may be off, both ends included",
      { max: 1 },
    ),
    candidatesMin: env.integer(
      'MINIMUM_NUMBER_OF_POTENTIALLY_AGREEING_SUPERNODES',
      10,
      'With fewer peers than this the blacklist is ignored',
    ),
    quorum: env.number('SUPERNODE_CREDIT_PRICE_AGREEMENT_QUORUM_PERCENTAGE', 0.51, 'Share of the peers asked that must answer', {
      max: 1,
    }),
    majority: env.number('SUPERNODE_CREDIT_PRICE_AGREEMENT_MAJORITY_PERCENTAGE', 0.51, 'Share of the answers that must agree', {
      max: 1,
    }),
    majorityOfAsked: env.number(
      'SUPERNODE_CREDIT_PRICE_AGREEMENT_SHARE_OF_ASKED',
      0.65,
      'Share of the peers asked that must agree, so that every later check accepts the ticket',
      { max: 1 },
    ),
    peerTimeoutMs:
      env.integer('INDIVIDUAL_SUPERNODE_PRICE_AGREEMENT_REQUEST_TIMEOUT_PERIOD_IN_SECONDS', 15, 'Limit for one vote', {
        min: 1,
      }) * 1000,
    burnWindowBlocks: env.integer(
      'MAXIMUM_NUMBER_OF_PASTEL_BLOCKS_FOR_USER_TO_SEND_BURN_AMOUNT_FOR_CREDIT_TICKET',
      50,
      'Blocks within which the burn must be mined',
      { min: 1 },
    ),
    burnConfirmations: env.integer(
      'MINIMUM_CONFIRMATION_BLOCKS_FOR_CREDIT_PACK_BURN_TRANSACTION',
      1,
      'Blocks on the burn before the ticket is written',
      { min: 1 },
    ),
    overpaidBurnConfirmations: env.integer(
      'CONFIRMATION_BLOCKS_FOR_OVERPAID_BURN',
      3,
      'The same for a burn that is larger than the offer and not tied to the tracking address',
      { min: 1 },
    ),
    storageRetryBlocks: env.integer(
      'MINIMUM_NUMBER_OF_PASTEL_BLOCKS_BEFORE_TICKET_STORAGE_RETRY_ALLOWED',
      10,
      'Blocks before another supernode may store the ticket',
    ),
    openOffersPerPastelIdMax: env.integer('OPEN_OFFERS_PER_PASTELID_MAX', 10, 'Offers that one PastelID may have open', {
      min: 1,
    }),
    offerMinutes: env.integer('QUOTE_LIFE_IN_MINUTES', 30, 'Life of a price quote', { min: 1 }),
    fixedUsdPerPsl: fixed > 0 ? fixed : undefined,
    priceMaxAgeMs: env.integer('MARKET_PRICE_MAX_AGE_IN_SECONDS', 300, 'How long a market price is kept', { min: 1 }) * 1000,
    ticketScanHeight: env.integer('TICKET_SCAN_START_HEIGHT', 700_000, 'Height of the first credit pack ticket'),
  };
}

function inferenceSettings(env: Environment): InferenceSettings {
  return {
    minimumCostTenths: Math.round(env.number('MINIMUM_COST_IN_CREDITS', 0.5, 'Floor of a request', { min: 0.1 }) * 10),
    confirmationBlocks: env.integer(
      'INFERENCE_CONFIRMATION_WINDOW_IN_BLOCKS',
      10,
      'Blocks within which a quoted request must be paid',
      { min: 1 },
    ),
    resultRetentionDays: env.integer('INFERENCE_RESULT_RETENTION_IN_DAYS', 30, 'How long results are kept', { min: 1 }),
    openQuotesPerPastelIdMax: env.integer(
      'INFERENCE_OPEN_QUOTES_PER_PASTELID_MAX',
      100,
      'Unpaid quotes that one PastelID may have open',
      { min: 1 },
    ),
    executionsMax: env.integer('CONCURRENT_EXECUTIONS_MAX', 8, 'Requests that run at the same time', { min: 1 }),
    executionSecondsMax: env.integer('EXECUTION_SECONDS_MAX', 600, 'Limit for one run', { min: 1 }),
    executionAttemptsMax: env.integer('EXECUTION_ATTEMPTS_MAX', 3, 'Runs of one request, restarts included', { min: 1 }),
    sandboxEnabled: env.flag('SANDBOX_PROVIDER', false, 'Offer the sandbox model, which computes nothing; on in the devnet'),
    openAiCompatibleUrl: env.optional(
      'OPENAI_COMPATIBLE_URL',
      'Base URL of a server that speaks /v1/chat/completions, e.g. http://127.0.0.1:11434/v1',
    ),
    openAiCompatibleKey: env.secret('OPENAI_COMPATIBLE_API_KEY', 'Its key, if it wants one'),
    openAiCompatibleModels: env.list('OPENAI_COMPATIBLE_MODELS', [], 'Models to offer; asked of the server when empty'),
    openAiCompatibleUsdPerMillionInputTokens: env.number(
      'OPENAI_COMPATIBLE_USD_PER_MILLION_INPUT_TOKENS',
      0.5,
      'Price of a million tokens in',
    ),
    openAiCompatibleUsdPerMillionOutputTokens: env.number(
      'OPENAI_COMPATIBLE_USD_PER_MILLION_OUTPUT_TOKENS',
      1.5,
      'Price of a million tokens out',
    ),
  };
}
