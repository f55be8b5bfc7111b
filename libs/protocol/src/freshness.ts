import { declarationOf } from './kernel/declaration.js';
import type { Values } from './kernel/wire.js';

export interface FreshnessLimits {
  readonly now: Date;
  /** Height of the best block as this node knows it. */
  readonly height: number;
  readonly timestampSecondsMax: number;
  readonly blocksMax: number;
}

/** Only fields with these endings count; some messages name their time stamp otherwise and are not held to it. */
const TIMESTAMP_FIELD = '_timestamp_utc_iso_string';
const HEIGHT_FIELD = '_pastel_block_height';

/**
 * Why a message is too old, or too new: rules 1 and 2 of credit-packs spec 4.1, in its words, in declared order. Both times are named, as both
 * heights are: whoever reads it sees whose clock is wrong.
 */
export function freshnessFaults(message: object, { now, height, timestampSecondsMax, blocksMax }: FreshnessLimits): string[] {
  const values = message as Values;
  const names = declarationOf(message.constructor).fields.map(({ name }) => name);
  const isFarAway = (name: string): boolean => {
    const stated = Date.parse(String(values[name]));
    return !(Math.abs(stated - now.getTime()) <= timestampSecondsMax * 1000);
  };
  const timestamps = names.filter((name) => name.endsWith(TIMESTAMP_FIELD) && isFarAway(name));
  const heights = names.flatMap((name) => {
    if (!name.endsWith(HEIGHT_FIELD)) return [];
    const stated = values[name];
    const difference = Math.abs(Number(stated) - height);
    return difference <= blocksMax ? [] : [{ name, stated, difference }];
  });
  return [
    ...timestamps.map(
      (name) =>
        `Timestamp in field ${name} is too far from the current time; ` +
        `at most ${timestampSecondsMax} seconds are allowed (local: ${String(values[name])}, remote: ${now.toISOString()})`,
    ),
    ...heights.map(
      ({ name, stated, difference }) =>
        `Pastel block height in field ${name} does not match the current block height; ` +
        `difference is ${difference} blocks (local: ${String(stated)}, remote: ${height})`,
    ),
  ];
}
