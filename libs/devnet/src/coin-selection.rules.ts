import type { TxOutput } from './transaction.js';

/** An output that a wallet may spend. */
export interface Coin {
  readonly txid: string;
  readonly vout: number;
  readonly address: string;
  readonly output: TxOutput;
  /** 0 in the mempool. */
  readonly confirmations: number;
}

export type CoinOrder = 'smallest first' | 'fewest';

/**
 * Coins that reach `target` patoshis; undefined when all together do not. Confirmed coins go before unconfirmed ones, and those of
 * `preferred` before all others.
 */
export function selectCoins(coins: readonly Coin[], target: number, order: CoinOrder, preferred?: string): Coin[] | undefined {
  const chosen: Coin[] = [];
  let missing = target;
  for (const group of inGroups(coins, preferred)) {
    const picked = order === 'fewest' ? fewest(group, missing) : smallestFirst(group, missing);
    chosen.push(...picked);
    missing -= sum(picked);
    if (missing <= 0) return chosen;
  }
  return undefined;
}

function inGroups(coins: readonly Coin[], preferred?: string): Coin[][] {
  const rank = (coin: Coin): number => (coin.address === preferred ? 0 : 2) + (coin.confirmations > 0 ? 0 : 1);
  return [0, 1, 2, 3].map((wanted) => coins.filter((coin) => rank(coin) === wanted));
}
/** The largest first, so that an address with a little set aside keeps it; pasteld promises nothing of the sort. */
const fewest = (coins: readonly Coin[], target: number): Coin[] => until([...coins].sort(byAmount).reverse(), target);
const smallestFirst = (coins: readonly Coin[], target: number): Coin[] => until([...coins].sort(byAmount), target);

function until(coins: readonly Coin[], target: number): Coin[] {
  const chosen: Coin[] = [];
  for (const coin of coins) {
    if (sum(chosen) >= target) break;
    chosen.push(coin);
  }
  return chosen;
}
const byAmount = (left: Coin, right: Coin): number =>
  left.output.patoshis - right.output.patoshis || left.txid.localeCompare(right.txid);
export const sum = (coins: readonly Coin[]): number => coins.reduce((total, coin) => total + coin.output.patoshis, 0);
