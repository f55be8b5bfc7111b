import { pythonRound } from './kernel/python-number.js';

/** PSL a credit, in steps of 0.1 (credit-packs spec 6); `margin` is a share of the price, 0.15 for 15 %. */
export const pricePerCredit = (usdPerPsl: number, targetUsdPerCredit: number, margin: number): number =>
  pythonRound(targetUsdPerCredit / (1 - margin) / usdPerPsl, 1);

/** PSL for a whole pack, as a quote of the original states it: five decimals (6). */
export const totalOfQuote = (pricePslPerCredit: number, credits: number): number => pythonRound(pricePslPerCredit * credits, 5);

/** The lowest and the highest price that a peer calls fair, both ends inclusive (5.4); `tolerance` 0.05 is 5 %. */
export const fairPrices = (localPslPerCredit: number, tolerance: number): readonly [lowest: number, highest: number] => [
  localPslPerCredit * (1 - tolerance),
  localPslPerCredit * (1 + tolerance),
];

export function isFairPrice(proposed: number, localPslPerCredit: number, tolerance: number): boolean {
  const [lowest, highest] = fairPrices(localPslPerCredit, tolerance);
  return lowest <= proposed && proposed <= highest;
}
