import type { CreditPack, PackBalance } from './pack-ledger.js';
import type { PackRow } from './pack.entity.js';

export type Counters = Pick<PackRow, 'initialMillicredits' | 'heldMillicredits' | 'burnedMillicredits'>;

/**
 * What is left. Burns may exceed what was free (burns that nobody claimed, or that were claimed at another supernode): then nothing is
 * available, `burned` counts only what the pack could bear, and the rest is the deficit. So `initial = available + held + burned`
 * always holds, and credits that are given back go to the deficit first.
 */
export function balanceOf(counters: Counters, usageBurns: number): PackBalance {
  const { initialMillicredits, heldMillicredits, burnedMillicredits } = counters;
  const free = initialMillicredits - heldMillicredits - burnedMillicredits;
  const deficitMillicredits = Math.max(0, -free);
  return {
    initialMillicredits,
    availableMillicredits: Math.max(0, free),
    heldMillicredits,
    burnedMillicredits: burnedMillicredits - deficitMillicredits,
    deficitMillicredits,
    usageBurns,
  };
}

/** Credits that the chain says are unspent; what a node holds for requests in progress is still unspent (credit-packs spec 5.12). */
export const unspentMillicredits = ({ initialMillicredits, burnedMillicredits }: Counters): number =>
  Math.max(0, initialMillicredits - burnedMillicredits);

export const packOf = (row: PackRow): CreditPack => ({
  registrationTxid: row.registrationTxid,
  requestHash: row.requestHash,
  purchaseBurnTxid: row.purchaseBurnTxid,
  trackingAddress: row.trackingAddress,
  ownerPastelId: row.ownerPastelId,
  authorisedPastelIds: JSON.parse(row.authorisedPastelIds) as string[],
  initialMillicredits: row.initialMillicredits,
  height: row.height,
});

export interface ChainPlace {
  readonly height: number;
  readonly blockIndex: number;
}
/** Which of two tickets stands first on the chain; the same on every node. */
export const standsBefore = (one: ChainPlace, other: ChainPlace): boolean =>
  one.height < other.height || (one.height === other.height && one.blockIndex < other.blockIndex);
