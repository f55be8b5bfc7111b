import type { PackBalance } from '#credit-pack';

/** A balance in the unit of costs and burns. */
export interface BalanceInTenths {
  readonly initialTenths: number;
  readonly availableTenths: number;
  readonly heldTenths: number;
  readonly burnedTenths: number;
  readonly usageBurns: number;
}

export const inTenths = (balance: PackBalance): BalanceInTenths => ({
  initialTenths: balance.initialMillicredits / 100,
  availableTenths: balance.availableMillicredits / 100,
  heldTenths: balance.heldMillicredits / 100,
  burnedTenths: balance.burnedMillicredits / 100,
  usageBurns: balance.usageBurns,
});
