import type { CreditPack, PackBalance } from './pack-ledger.js';
import type { PackRow } from './pack.entity.js';

export type Counters = Pick<PackRow, 'initialTenths' | 'heldTenths' | 'burnedTenths'>;

/**
 * What is left. Burns may exceed what was free (burns that nobody claimed, or that were claimed at another supernode): then nothing is
 * available, `burned` counts only what the pack could bear, and the rest is the deficit. So `initial = available + held + burned`
 * always holds, and credits that are given back go to the deficit first.
 */
export function balanceOf(counters: Counters, usageBurns: number): PackBalance {
  const { initialTenths, heldTenths, burnedTenths } = counters;
  const free = initialTenths - heldTenths - burnedTenths;
  const deficitTenths = Math.max(0, -free);
  return {
    initialTenths,
    availableTenths: Math.max(0, free),
    heldTenths,
    burnedTenths: burnedTenths - deficitTenths,
    deficitTenths,
    usageBurns,
  };
}

/** Credits that the chain says are unspent; what a node holds for requests in progress is still unspent (credit-packs spec 5.12). */
export const unspentTenths = ({ initialTenths, burnedTenths }: Counters): number => Math.max(0, initialTenths - burnedTenths);

export const packOf = (row: PackRow): CreditPack => ({
  registrationTxid: row.registrationTxid,
  requestHash: row.requestHash,
  purchaseBurnTxid: row.purchaseBurnTxid,
  trackingAddress: row.trackingAddress,
  ownerPastelId: row.ownerPastelId,
  authorisedPastelIds: JSON.parse(row.authorisedPastelIds) as string[],
  initialTenths: row.initialTenths,
  height: row.height,
});

export interface ChainPlace {
  readonly height: number;
  readonly blockIndex: number;
}
/** Which of two tickets stands first on the chain; the same on every node. */
export const standsBefore = (one: ChainPlace, other: ChainPlace): boolean =>
  one.height < other.height || (one.height === other.height && one.blockIndex < other.blockIndex);
