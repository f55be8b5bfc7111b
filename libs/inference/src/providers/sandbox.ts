import { createHash } from 'node:crypto';
import { PythonNumber } from '#protocol';
import {
  type Ability,
  type Model,
  type ModelParameter,
  type Outcome,
  type Provider,
  ProviderFailure,
  type ReportedUsage,
  type Run,
} from './provider.js';
import { completionsOutput, embeddingWorkload, estimateTokens, menuEntry, textParameters, textWorkload } from './kit/text.js';

const MODEL = 'sandbox-echo';
/** Costs less, and never does anything but answer: what others fall back on. */
const SPARE = 'sandbox-spare';
const DIMENSIONS = 16;
const DELAY_MS_MAX = 600_000;
/** Far more than any model gives: the whole range of costs can be asked for. */
const TOKENS_MAX = 20_000_000;

const FAILURES = [
  '',
  'refused',
  'misconfigured',
  'unavailable',
  'unavailable_once',
  'rate_limited',
  'malformed',
  'too_large',
  'stall',
  'deaf',
  'crash',
] as const;
const RETRY_AFTER_MS = 30_000;
const USAGES = ['', 'missing', 'negative', 'absurd', 'fraction'] as const;

const behaviour: readonly ModelParameter[] = (
  [
    {
      name: 'sandbox_delay_ms',
      type: 'int',
      default: 0,
      minimum: 0,
      maximum: DELAY_MS_MAX,
      description: '[Optional] Wait before the answer',
    },
    { name: 'sandbox_failure', type: 'string', default: '', options: FAILURES, description: '[Optional] Fail in this way' },
    {
      name: 'sandbox_usage',
      type: 'string',
      default: '',
      options: USAGES,
      description: '[Optional] Lie about the tokens used in this way',
    },
  ] as const
).map((parameter) => ({ ...parameter, inference_types_parameter_applies_to: ['text_completion', 'embedding'] }));

/** Waits and fails as told; otherwise lets the ability answer. */
const behaving =
  (answer: (run: Run) => Outcome) =>
  async (run: Run): Promise<Outcome> => {
    if (run.model === SPARE) return answer(run);
    await run.clock.wait(Number(run.parameters['sandbox_delay_ms'] ?? 0), run.signal);
    if (run.signal.aborted) throw new ProviderFailure('deadline_exceeded', 'The sandbox was interrupted', true);
    switch (run.parameters['sandbox_failure'] as (typeof FAILURES)[number] | undefined) {
      case 'refused':
        throw new ProviderFailure('refused', 'The sandbox refused, as it was told to', false);
      case 'unavailable':
        throw new ProviderFailure('unavailable', 'The sandbox is away, as it was told to', true);
      case 'unavailable_once':
        if (run.attempt === 1) throw new ProviderFailure('unavailable', 'The sandbox is away for one attempt', true);
        break;
      case 'misconfigured':
        throw new ProviderFailure('misconfigured', 'The sandbox does not take the key, as it was told to', false);
      case 'rate_limited':
        throw new ProviderFailure('rate_limited', 'The sandbox has enough, as it was told to', true, RETRY_AFTER_MS);
      case 'too_large':
        throw new ProviderFailure('answer_too_large', 'The sandbox talks without end, as it was told to', false);
      case 'malformed':
        throw new ProviderFailure('malformed_answer', 'The sandbox talks nonsense, as it was told to', true);
      case 'stall':
        await run.clock.wait(DELAY_MS_MAX, run.signal);
        throw new ProviderFailure('deadline_exceeded', 'The sandbox stalled, as it was told to', true);
      case 'deaf':
        return new Promise<never>(() => undefined);
      case 'crash':
        throw new TypeError('the sandbox has a fault, as it was told to');
      case '':
      case undefined:
    }
    return answer(run);
  };

function usageOf(run: Run, inputTokens: number, outputTokens: number): ReportedUsage | undefined {
  switch (run.parameters['sandbox_usage'] as (typeof USAGES)[number] | undefined) {
    case 'missing':
      return undefined;
    case 'negative':
      return { inputTokens: -inputTokens, outputTokens: -1 };
    case 'absurd':
      return { inputTokens: 1e300, outputTokens: Number.MAX_SAFE_INTEGER };
    case 'fraction':
      return { inputTokens: 0.5, outputTokens: '12' };
    case '':
    case undefined:
      return { inputTokens, outputTokens };
  }
}

/** The words of the prompt, as many as may be generated. */
function echo(run: Run): Outcome {
  const words = run.input.text.split(/\s+/).filter((word) => word !== '');
  const answer = `You said: ${words.slice(0, Number(run.parameters['number_of_tokens_to_generate'])).join(' ')}`;
  const completions = Array.from({ length: Number(run.parameters['number_of_completions_to_generate'] ?? 1) }, () => answer);
  const usage = usageOf(run, estimateTokens(run.input.text), words.length * completions.length);
  return { ...completionsOutput(completions), files: ['NA'], usage };
}

/** Sixteen numbers from -1 to 1, made of the text's SHA3-256. */
function embed(run: Run): Outcome {
  const digest = createHash('sha3-256').update(run.input.text).digest();
  const output = Array.from({ length: DIMENSIONS }, (_, i) => PythonNumber.float(digest.readInt16BE(i * 2) / 32768));
  return { output, outputText: 'embedding', files: ['NA'], usage: usageOf(run, estimateTokens(run.input.text), 0) };
}

const textCompletion: Ability = { count: textWorkload(estimateTokens), run: behaving(echo) };
const embedding: Ability = { count: embeddingWorkload(estimateTokens), run: behaving(embed) };

const entryOf = (model_name: string, description: string) =>
  menuEntry({
    model_name,
    description,
    supported_inference_type_strings: ['text_completion', 'embedding'],
    model_parameters: [...textParameters({ tokensMax: TOKENS_MAX }), ...behaviour],
  });
/** Made-up prices, so that a default completion costs 1.2 credits. */
const models: readonly Model[] = [
  {
    entry: entryOf(
      MODEL,
      'Repeats the prompt; for trying out the network. Can be told to be slow, to fail, or to lie about its usage.',
    ),
    upstream: MODEL,
    pricing: { per: 'million tokens', input: '2.5', output: '10' },
  },
  {
    entry: entryOf(SPARE, 'Repeats the prompt, whatever else it is told; for trying out what to fall back on.'),
    upstream: SPARE,
    pricing: { per: 'million tokens', input: '2', output: '8' },
  },
];

/** Needs no key and computes nothing: the demonstration, and every fault on demand. */
export const sandbox: Provider<true> = {
  name: 'sandbox',
  title: 'Sandbox',
  setUp: (env) =>
    env.flag('SANDBOX_PROVIDER', false, 'Offer the sandbox model, which computes nothing; on in the devnet') || undefined,
  abilities: { text_completion: textCompletion, embedding },
  models: async () => models,
  checkKey: async () => undefined,
};
