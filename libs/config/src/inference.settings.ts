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
    downloadDirectory: env.text('DOWNLOAD_DIRECTORY', './data/downloads', 'Files that results name; kept for a day'),
    creditCostMultiplier: env.number('CREDIT_COST_MULTIPLIER_FACTOR', 0.002, 'Scales the raw costs of local models to credits'),
  };
}
