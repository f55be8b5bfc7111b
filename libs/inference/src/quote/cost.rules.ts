import { TENTHS_PER_CREDIT, USAGE_BURN_PATOSHIS_MAX } from '#protocol';
import type { InferenceType, Model, Pricing, RawCosts, Workload } from '../providers/provider.js';
import { decimalText, dividedBy, exact, minus, plus, roundedHalfEven, times, type Exact } from './exact.rules.js';

/** What turns USD and raw numbers into credits (inference spec 4.1). */
export interface CreditPricing {
  /** TARGET_VALUE_PER_CREDIT_IN_USD. */
  readonly usdPerCredit: number;
  /** TARGET_PROFIT_MARGIN, a share. */
  readonly margin: number;
  readonly minimumTenths: number;
  /** CREDIT_COST_MULTIPLIER_FACTOR: raw numbers of local models to credits. */
  readonly rawMultiplier: number;
}

/** One line of a bill: so much of something, at a price each. */
interface CostItem {
  readonly what: string;
  readonly quantity: number;
  /** Of one; USD, or raw credits before scaling. */
  readonly price: string;
  readonly amount: string;
}
export interface Cost {
  readonly tenths: number;
  readonly currency: 'USD' | 'raw credits';
  readonly items: readonly CostItem[];
  readonly total: string;
  /** Credits for one unit of the currency. */
  readonly creditsEach: string;
  /** The total in credits, before it is rounded to tenths and held to the minimum. */
  readonly credits: string;
}

/**
 * A tenth of a credit is burned as one patoshi, and larger outputs count as purchases, so no request may cost more than
 * 10,000 credits (inference spec 5.4 W4).
 */
export const COST_TENTHS_MAX = USAGE_BURN_PATOSHIS_MAX;

/**
 * What a request costs (inference spec 4), in whole numbers from end to end; `undefined` where there is no price at all, which refuses
 * the request. Every completion is paid in full: the reference forgot that.
 */
export function costOf(
  { pricing, entry }: Pick<Model, 'pricing' | 'entry'>,
  type: InferenceType,
  work: Workload,
  credit: CreditPricing,
): Cost | undefined {
  if (pricing.per === 'raw') {
    const raw = 'api_based_pricing' in entry.credit_costs ? undefined : entry.credit_costs[type];
    return raw && bill('raw credits', rawLines(raw, work), exact(credit.rawMultiplier), credit.minimumTenths);
  }
  const usdPerCredit = times(exact(credit.usdPerCredit), minus(exact(1), exact(credit.margin)));
  const lines = pricing.per === 'call' ? [line('calls', work.completions, exact(pricing.usd))] : tokenLines(pricing, work);
  return bill('USD', lines, dividedBy(exact(1), usdPerCredit), credit.minimumTenths);
}

/** Nobody asks for more answers to one question. */
const COMPLETIONS_MAX = 100;
/** Beyond what any model reads or writes; a menu that forgets a limit is held to it. */
const TOKENS_MAX = 1e9;

/** What keeps this work from being priced; undefined where nothing does. Counts may come from a service, and be nonsense. */
export function workFault(work: Workload, { entry, inputTokensMax = TOKENS_MAX }: Pick<Model, 'entry' | 'inputTokensMax'>) {
  const { inputTokens, outputTokensMax, completions, outputPercent, cachedInputTokens, sentences, seconds } = work;
  const whole = [inputTokens, outputTokensMax, completions, outputPercent, cachedInputTokens, sentences];
  const isSound = whole.every((n) => n === undefined || (Number.isSafeInteger(n) && n >= 0));
  if (!isSound || !(Number.isFinite(seconds ?? 0) && (seconds ?? 0) >= 0))
    return `How much work this is for ${entry.model_name} cannot be told`;
  if (inputTokens > inputTokensMax)
    return `The input has ${inputTokens} tokens; ${entry.model_name} reads ${inputTokensMax} at most at its price`;
  if (completions < 1 || completions > COMPLETIONS_MAX)
    return `${entry.model_name} gives 1 to ${COMPLETIONS_MAX} completions at a time`;
  if (outputTokensMax > TOKENS_MAX) return `${entry.model_name} does not write ${outputTokensMax} tokens`;
  return undefined;
}

interface Line {
  readonly what: string;
  readonly quantity: number;
  readonly price: Exact;
}
const line = (what: string, quantity: number, price: Exact): Line => ({ what, quantity, price });
const amountOf = ({ quantity, price }: Line): Exact => times(exact(quantity), price);

function bill(currency: Cost['currency'], lines: readonly Line[], creditsEach: Exact, minimumTenths: number): Cost | undefined {
  const total = lines.map(amountOf).reduce(plus, exact(0));
  if (total.over <= 0n) return undefined;
  const credits = times(total, creditsEach);
  const tenths = roundedHalfEven(times(credits, exact(TENTHS_PER_CREDIT)));
  return {
    // Whatever is far beyond the limit of a request stays so as a double.
    tenths: Math.max(minimumTenths, Number(tenths)),
    currency,
    items: lines
      .filter((each) => amountOf(each).over > 0n)
      .map((each) => ({
        what: each.what,
        quantity: each.quantity,
        price: decimalText(each.price),
        amount: decimalText(amountOf(each)),
      })),
    total: decimalText(total),
    creditsEach: decimalText(creditsEach),
    credits: decimalText(credits),
  };
}

function tokenLines(pricing: Extract<Pricing, { per: 'million tokens' }>, work: Workload): Line[] {
  const each = (usdPerMillion: string): Exact => dividedBy(exact(usdPerMillion), exact(1_000_000));
  const { completions, inputTokens, outputTokensMax, outputPercent = 100, cachedInputTokens = 0 } = work;
  const cached = pricing.cachedInput === undefined ? 0 : Math.min(cachedInputTokens, inputTokens);
  const output = times(each(pricing.output), dividedBy(exact(outputPercent), exact(100)));
  return [
    line('input tokens', (inputTokens - cached) * completions, each(pricing.cacheWrite ?? pricing.input)),
    line('cached input tokens', cached * completions, each(pricing.cachedInput ?? pricing.input)),
    line('output tokens at most', outputTokensMax * completions, output),
    line('completions', completions, exact(pricing.completion ?? 0)),
  ];
}

/** By the names of the original's menu; each says what it is multiplied with (inference spec 4.5). */
function rawLines(raw: RawCosts, work: Workload): Line[] {
  const { completions } = work;
  const quantities: Readonly<Record<string, number>> = {
    input_tokens: work.inputTokens * completions,
    output_tokens: work.outputTokensMax * completions,
    average_tokens_per_sentence: work.inputTokens,
    total_sentences: work.sentences ?? 0,
    audio_file_length_in_seconds: Math.ceil(work.seconds ?? 0),
    query_string_included: work.withQuery ? 1 : 0,
    compute_cost: completions,
    memory_cost: 1,
  };
  return Object.entries(raw).map(([name, price]) => line(name, quantities[name] ?? 0, exact(price)));
}
