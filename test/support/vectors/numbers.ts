import {
  fairPrices,
  pricePerCredit,
  pythonFloatText,
  PythonNumber,
  pythonRound,
  readJson,
  totalOfQuote,
  type JsonObject,
} from '#protocol';
import { hasMembers, listOf, numberOf, objectOf, objectsIn, textOf, type VectorShape } from './file.js';

/** The exact double where the file gives its bits, else its decimal text. */
const doubleOf = (vector: JsonObject): number => {
  const bits = vector['ieee754_hex'];
  return typeof bits === 'string' ? Buffer.from(bits, 'hex').readDoubleBE(0) : Number(textOf(vector['x']));
};
const printed = pythonFloatText;

export const numbersAndPricing: VectorShape = {
  name: 'numbers and pricing',
  matches: (content) => hasMembers(content, 'python_float_repr'),
  async run(content, report, file) {
    const all = objectOf(content);
    for (const vector of objectsIn(all['python_float_repr'])) {
      await report.run(`${file} repr ${textOf(vector['repr'])}`, (compare) =>
        compare('text', printed(doubleOf(vector)), vector['repr']),
      );
    }
    for (const vector of objectsIn(all['json_lexeme_to_canonical'])) {
      await report.run(`${file} lexeme ${textOf(vector['lexeme'])}`, (compare) => {
        const number = readJson(textOf(vector['lexeme'])) as PythonNumber;
        compare('text', number.text, vector['canonical']);
        if (vector['python_type'] !== undefined) compare('type', number.isInteger ? 'int' : 'float', vector['python_type']);
      });
    }
    for (const [key, decimals] of [
      ['round_half_even_1', 1],
      ['round_5', 5],
    ] as const) {
      for (const vector of objectsIn(all[key])) {
        const rounded = (): string => printed(pythonRound(doubleOf(vector), decimals));
        await report.run(`${file} ${key} ${textOf(vector['x'])}`, (compare) => compare('rounded', rounded(), vector['rounded']));
      }
    }
    for (const vector of objectsIn(all['price'])) {
      await report.run(`${file} price at ${numberOf(vector['psl_usd'])} USD`, (compare) => {
        const price = pricePerCredit(numberOf(vector['psl_usd']), numberOf(vector['target_usd']), numberOf(vector['margin']));
        const credits = numberOf(vector['credits']);
        compare('price per credit', printed(price), vector['price_per_credit']);
        compare('total of the quote', printed(totalOfQuote(price, credits)), vector['total_quote']);
        compare('total unrounded', printed(credits * price), vector['total_response_unrounded']);
        if (vector['band_5pct'] !== undefined) compare('band', fairPrices(price, 0.05).map(printed), listOf(vector['band_5pct']));
      });
    }
  },
};
