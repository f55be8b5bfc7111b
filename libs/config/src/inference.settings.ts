import { isIP } from 'node:net';
import type { Environment } from './environment.js';
import type { InferenceSettings } from './slices.js';

export function inferenceSettings(env: Environment): InferenceSettings {
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
    executionWaitSecondsMax: env.integer(
      'EXECUTION_WAIT_SECONDS_MAX',
      1800,
      'How long a paid request waits for a model service that is away, before it ends with a credit note',
      { min: 1 },
    ),
    executionAttemptsMax: env.integer('EXECUTION_ATTEMPTS_MAX', 3, 'Runs of one request, restarts included', { min: 1 }),
    downloadDirectory: env.text(
      'DOWNLOAD_DIRECTORY',
      './data/downloads',
      'Files on their way to a model service; theirs alone, and gone when the request is over',
    ),
    downloadBaseUrl: downloadBaseUrl(env),
    downloadReaders: downloadReaders(env),
    outgoingPrivateAddresses: outgoingPrivateAddresses(env),
    creditCostMultiplier: env.number('CREDIT_COST_MULTIPLIER_FACTOR', 0.002, 'Scales the raw costs of local models to credits'),
  };
}

function downloadBaseUrl(env: Environment): string | undefined {
  const name = 'DOWNLOAD_BASE_URL';
  const url = env.optional(
    name,
    'Under which a model service reaches this node to fetch files, e.g. http://203.0.113.7:7123; the listening address if empty',
  );
  if (url !== undefined && !/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) env.refuse(name, 'an http(s) URL');
  return url;
}

function downloadReaders(env: Environment): string[] {
  const name = 'DOWNLOAD_READERS';
  const addresses = env.list(name, [], 'Addresses from which it fetches them, if others than that of its own URL');
  if (addresses.some((address) => isIP(address) === 0)) env.refuse(name, 'IP addresses with commas between');
  return addresses;
}

function outgoingPrivateAddresses(env: Environment): string[] {
  const name = 'OUTGOING_PRIVATE_ADDRESSES';
  const endpoints = env.list(
    name,
    [],
    'host:port, with commas between: private addresses that requests may go to; the URLs of model services need not be named',
  );
  if (endpoints.some((each) => !/:\d{1,5}$/.test(each) || !URL.canParse(`http://${each}`)))
    env.refuse(name, 'host:port with commas between');
  return endpoints;
}
