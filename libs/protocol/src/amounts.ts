import { PythonNumber } from './kernel/python-number.js';
import { MILLICREDITS_PER_TENTH, PATOSHIS_PER_PSL, TENTHS_PER_CREDIT } from './network.js';

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * Exact patoshis of an amount in PSL; `undefined` when the text is no number, has more than five significant
 * decimals, or does not fit an exact integer.
 */
export function patoshisFromPsl(amount: PythonNumber | string | number): number | undefined {
  return scaled(typeof amount === 'number' ? String(amount) : amount.toString(), 5);
}

/** `12.34500`: PSL with exactly five decimals, as pasteld prints it. */
export function pslText(patoshis: number): string {
  const sign = patoshis < 0 ? '-' : '';
  const digits = String(Math.abs(patoshis)).padStart(6, '0');
  return `${sign}${digits.slice(0, -5)}.${digits.slice(-5)}`;
}

/** PSL as a float field of a message of ours. */
export const pslFloat = (patoshis: number): PythonNumber => PythonNumber.float(patoshis / PATOSHIS_PER_PSL);

/** Whole tenths of credits; `undefined` when the number has more than one decimal. */
export const tenthsFromCredits = (credits: PythonNumber | string | number): number | undefined =>
  scaled(typeof credits === 'number' ? String(credits) : credits.toString(), 1);

/** Credits as a float field of a message of ours, one decimal. */
export const creditsFloat = (tenths: number): PythonNumber => PythonNumber.float(tenths / TENTHS_PER_CREDIT);

/** Of an amount in tenths of credits, or of the patoshis that were burned for it. */
export const millicreditsOfTenths = (tenths: number): number => tenths * MILLICREDITS_PER_TENTH;
/** Whole tenths of credits, what is less than one left out. */
export const tenthsOfMillicredits = (millicredits: number): number => Math.floor(millicredits / MILLICREDITS_PER_TENTH);

function scaled(text: string, decimals: number): number | undefined {
  const [, sign, whole, fraction = '', power = '0'] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const shift = decimals - fraction.length + Number(power);
  if (Math.abs(shift) > 400) return undefined;
  const digits = BigInt(whole + fraction);
  const factor = 10n ** BigInt(Math.abs(shift));
  if (shift < 0 && digits % factor !== 0n) return undefined;
  const units = Number(shift < 0 ? digits / factor : digits * factor);
  return Number.isSafeInteger(units) ? (sign === '-' && units !== 0 ? -units : units) : undefined;
}
