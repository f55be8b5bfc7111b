/** A fraction of whole numbers: prices are multiplied and divided without losing anything. `under` is above zero. */
export interface Exact {
  readonly over: bigint;
  readonly under: bigint;
}

const DECIMAL = /^(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,3}))?$/i;

/** Of a decimal text or of a number as it prints; not negative. Throws a RangeError for anything else. */
export function exact(value: string | number): Exact {
  const [, whole, fraction = '', exponent = '0'] = DECIMAL.exec(String(value)) ?? [];
  if (whole === undefined) throw new RangeError(`'${value}' is no decimal number`);
  const power = Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  return power >= 0 ? { over: digits * 10n ** BigInt(power), under: 1n } : { over: digits, under: 10n ** BigInt(-power) };
}

export const plus = (a: Exact, b: Exact): Exact => ({ over: a.over * b.under + b.over * a.under, under: a.under * b.under });
export const minus = (a: Exact, b: Exact): Exact => plus(a, { over: -b.over, under: b.under });
export const times = (a: Exact, b: Exact): Exact => ({ over: a.over * b.over, under: a.under * b.under });
/** Throws a RangeError unless `b` is above zero. */
export function dividedBy(a: Exact, b: Exact): Exact {
  if (b.over <= 0n) throw new RangeError('The divisor is not above zero');
  return times(a, { over: b.under, under: b.over });
}

/** To a whole number, a tie to the even one; for numbers that are not negative. */
export function roundedHalfEven({ over, under }: Exact): bigint {
  const [whole, rest] = [over / under, (over % under) * 2n];
  return rest > under || (rest === under && whole % 2n === 1n) ? whole + 1n : whole;
}

/** As decimal text with so many places at most, rounded, without zeros at the end. */
export function decimalText(value: Exact, places = 12): string {
  const digits = roundedHalfEven(times(value, { over: 10n ** BigInt(places), under: 1n }))
    .toString()
    .padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, '');
}
