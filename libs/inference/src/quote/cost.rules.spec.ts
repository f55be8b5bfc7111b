import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { menuEntry } from '../providers/kit/text.js';
import type { Pricing, Workload } from '../providers/index.js';
import { costOf, COST_TENTHS_MAX, workFault, type CreditPricing } from './cost.rules.js';
import { decimalText, dividedBy, exact, minus, plus, roundedHalfEven, times } from './exact.rules.js';

const credit: CreditPricing = { usdPerCredit: 0.01, margin: 0.15, minimumTenths: 5, rawMultiplier: 0.002 };
const entry = menuEntry({
  model_name: 'm',
  description: '',
  supported_inference_type_strings: ['text_completion'],
  model_parameters: [],
});
const gpt4o: Pricing = { per: 'million tokens', input: '2.5', output: '10', cachedInput: '1.25' };
const work = (changes: Partial<Workload>): Workload => ({ inputTokens: 0, outputTokensMax: 0, completions: 1, ...changes });
const tenths = (pricing: Pricing, changes: Partial<Workload>): number | undefined =>
  costOf({ entry, pricing }, 'text_completion', work(changes), credit)?.tenths;

describe('what a request costs', () => {
  test('is the sum of its lines, told one by one', () => {
    const cost = costOf({ entry, pricing: gpt4o }, 'text_completion', work({ inputTokens: 1500, outputTokensMax: 500 }), credit)!;
    expect(cost).toEqual({
      tenths: 10,
      currency: 'USD',
      total: '0.00875',
      creditsEach: '117.647058823529',
      credits: '1.029411764706',
      items: [
        { what: 'input tokens', quantity: 1500, price: '0.0000025', amount: '0.00375' },
        { what: 'output tokens at most', quantity: 500, price: '0.00001', amount: '0.005' },
      ],
    });
  });

  test('every completion is paid in full', () => {
    expect(tenths(gpt4o, { inputTokens: 1500, outputTokensMax: 500, completions: 10 })).toBe(103);
  });

  test('what costs nothing has no price, whatever is little costs the minimum', () => {
    expect(tenths({ per: 'million tokens', input: '0', output: '0' }, { inputTokens: 500 })).toBeUndefined();
    expect(tenths(gpt4o, { inputTokens: 1 })).toBe(5);
    expect(COST_TENTHS_MAX).toBe(100_000);
  });

  test('never falls when there is more to do', () => {
    const amount = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(amount, amount, fc.integer({ min: 1, max: 10 }), amount, (inputTokens, outputTokensMax, completions, more) => {
        const one = tenths(gpt4o, { inputTokens, outputTokensMax, completions }) ?? 0;
        expect(tenths(gpt4o, { inputTokens: inputTokens + more, outputTokensMax, completions }) ?? 0).toBeGreaterThanOrEqual(one);
        expect(tenths(gpt4o, { inputTokens, outputTokensMax: outputTokensMax + more, completions }) ?? 0).toBeGreaterThanOrEqual(
          one,
        );
      }),
    );
  });
});

describe('work', () => {
  test.each([
    [{ inputTokens: 0.5 }, /cannot be told/],
    [{ inputTokens: -1 }, /cannot be told/],
    [{ inputTokens: NaN }, /cannot be told/],
    [{ sentences: 1e300 }, /cannot be told/],
    [{ seconds: Infinity }, /cannot be told/],
    [{ seconds: -0.1 }, /cannot be told/],
    [{ cachedInputTokens: 1.5 }, /cannot be told/],
    [{ inputTokens: 101 }, /has 101 tokens; m reads 100 at most/],
    [{ completions: 0 }, /1 to 100 completions/],
    [{ completions: 101 }, /1 to 100 completions/],
    [{ outputTokensMax: 2e9 }, /does not write/],
  ])('%p has no price', (changes, fault) => expect(workFault(work(changes), { entry, inputTokensMax: 100 })).toMatch(fault));
  test('of a sort that can be counted has one', () => {
    expect(workFault(work({ inputTokens: 100, seconds: 0.5, completions: 100 }), { entry, inputTokensMax: 100 })).toBeUndefined();
  });

  test('what is counted can always be priced, in whole tenths, and lines add up to the total', () => {
    const count = fc.integer({ min: 0, max: 1e9 });
    const anyWork = fc.record({
      inputTokens: count,
      outputTokensMax: count,
      completions: fc.integer({ min: 1, max: 100 }),
      outputPercent: fc.constantFrom(70, 100, 130),
      cachedInputTokens: count,
      seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
    });
    const usd = fc
      .tuple(fc.nat(999), fc.nat(999_999))
      .map(([whole, millionths]) => `${whole}.${String(millionths).padStart(6, '0')}`);
    const pricing = fc.record({ per: fc.constant('million tokens' as const), input: usd, output: usd, cachedInput: usd });
    fc.assert(
      fc.property(anyWork, pricing, (some, price) => {
        expect(workFault(some, { entry })).toBeUndefined();
        const cost = costOf({ entry, pricing: price }, 'text_completion', some, credit);
        if (!cost) return;
        expect(cost.tenths === Math.round(cost.tenths) && cost.tenths >= 5).toBe(true);
        const sum = cost.items.map(({ amount }) => exact(amount)).reduce(plus, exact(0));
        // Each is printed with twelve places.
        expect(Math.abs(Number(decimalText(minus(plus(sum, exact(1)), exact(cost.total)))) - 1)).toBeLessThan(1e-11);
      }),
    );
  });
});

describe('exact numbers', () => {
  const small = fc.integer({ min: 0, max: 1_000_000 });
  test('sums, differences, products and quotients undo each other', () => {
    fc.assert(
      fc.property(small, fc.integer({ min: 1, max: 1_000_000 }), (a, b) => {
        expect(decimalText(minus(plus(exact(a), exact(b)), exact(b)))).toBe(String(a));
        expect(decimalText(dividedBy(times(exact(a), exact(b)), exact(b)))).toBe(String(a));
      }),
    );
  });
  test('ties go to the even number', () => {
    expect(['0.5', '1.5', '2.5', '2.4999', '2.5001'].map((text) => roundedHalfEven(exact(text)))).toEqual([0n, 2n, 2n, 2n, 3n]);
  });
  test('numbers are read as they print', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (x) => expect(Number(decimalText(exact(x), 40))).toBe(x)),
    );
    for (const text of ['', '-1', 'x', '1.', '0x1', 'NaN', '1e9999']) expect(() => exact(text)).toThrow(RangeError);
  });
});
