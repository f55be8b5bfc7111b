import { expect } from '@jest/globals';
import { SupernodeRefused } from '#client';
import { Transactions } from '#database';
import { CREDIT_PACK_TICKET_SUBTYPE, PATOSHIS_PER_PSL } from '#protocol';
import type { RunningSupernode, TestNetwork } from './network.js';

export * from './buyer.js';

/** What a contract ticket costs whoever registers it, and the most that the wallet adds for the transaction. */
const TICKET_PATOSHIS = 10 * PATOSHIS_PER_PSL;
const FEE_MAX_PATOSHIS = PATOSHIS_PER_PSL;

/** The HTTP refusal that a call meets; a call that is served fails the test. */
export async function refusalOf(call: Promise<unknown>): Promise<{ status: number; detail: string }> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SupernodeRefused);
  const { status, detail } = error as SupernodeRefused;
  return { status, detail };
}

// What a supernode has on its books, by the names of the columns.

export interface PurchaseFacts {
  readonly requestHash: string;
  readonly state: string;
  readonly totalPatoshis: number;
  readonly excessPatoshis: number | null;
  readonly burnTxid: string | null;
  readonly registrationTxid: string | null;
  readonly quoteResponse: object | null;
  readonly confirmation: object | null;
}
export interface PackFacts {
  readonly registrationTxid: string;
  readonly state: string;
  readonly purchaseBurnTxid: string;
  readonly initialMillicredits: number;
  readonly blockHash: string;
  readonly height: number;
}
export const purchasesAt = ({ app }: RunningSupernode): Promise<PurchaseFacts[]> =>
  app.get(Transactions).read((manager) => manager.find<PurchaseFacts>('Purchase'));
export async function purchaseAt(node: RunningSupernode, requestHash: string): Promise<PurchaseFacts | undefined> {
  return (await purchasesAt(node)).find((purchase) => purchase.requestHash === requestHash);
}
export const packsAt = ({ app }: RunningSupernode): Promise<PackFacts[]> =>
  app.get(Transactions).read((manager) => manager.find<PackFacts>('PackRow'));

// Who paid what.

export interface Money {
  /** Credit pack tickets that are mined, by txid. */
  readonly tickets: readonly string[];
  /** Patoshis of each supernode, by the user name of its wallet. */
  readonly wallets: ReadonlyMap<string, number>;
}
/** Straight from the ledger, so that no trouble of the way there shows in it. */
export function moneyOf({ devnet }: TestNetwork): Money {
  const tickets = devnet.state.tickets.contracts().filter(({ record }) => record.subType === CREDIT_PACK_TICKET_SUBTYPE);
  const wallets = devnet.supernodes.map(({ user }) => [user, devnet.account(user).wallet.balance()] as const);
  return { tickets: tickets.map(({ txid }) => txid), wallets: new Map(wallets) };
}

export interface Sale {
  readonly registrationTxid: string;
  /** Whose wallet has paid for the ticket; absent for a user's. */
  readonly payer?: string;
}
/**
 * Just these packs were sold since, and nothing is on its way: one ticket each, paid once and by nobody else, and a standing pack on the
 * books of every supernode that runs.
 */
export async function expectSold(network: TestNetwork, before: Money, sales: readonly Sale[]): Promise<void> {
  network.mine();
  const after = moneyOf(network);
  const isNew = (txid: string): boolean => !before.tickets.includes(txid);
  const sold = sales.map(({ registrationTxid }) => registrationTxid).sort();
  expect(after.tickets.filter(isNew).sort()).toEqual(sold);
  expectPaid(before, after, sales);
  await network.sweep();
  for (const node of network.supernodes) {
    const standing = (await packsAt(node)).filter(
      ({ state, registrationTxid }) => state === 'standing' && isNew(registrationTxid),
    );
    expect(standing.map(({ registrationTxid }) => registrationTxid).sort()).toEqual(sold);
  }
}
export const expectNothingSold = (network: TestNetwork, before: Money): Promise<void> => expectSold(network, before, []);

/** Ten PSL and a fee for each ticket. */
export function expectPaid(before: Money, after: Money, sales: readonly Sale[]): void {
  for (const [user, balance] of before.wallets) {
    const tickets = sales.filter(({ payer }) => payer === user).length;
    const spent = balance - after.wallets.get(user)!;
    expect(spent).toBeGreaterThanOrEqual(tickets * TICKET_PATOSHIS);
    expect(spent).toBeLessThanOrEqual(tickets * (TICKET_PATOSHIS + FEE_MAX_PATOSHIS));
  }
}
