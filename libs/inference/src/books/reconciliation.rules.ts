import type { HeldFor } from '#credit-pack';
import type { RequestState } from '../payment/request-state.rules.js';

/** What this node knows of a request, as far as its credits are concerned. */
export interface RequestAccount {
  readonly requestId: string;
  readonly state: RequestState;
  readonly costMillicredits: number;
  readonly burnTxid: string | null;
  /** Named by the owner, and not judged to the end yet. */
  readonly namedTxid: string | null;
  /** Paid from a credit note, so nothing was held or burned for it. */
  readonly isPaidByNote: boolean;
  readonly note: { readonly burnTxid: string; readonly millicredits: number } | undefined;
}

/** Where burned credits went: `burned = served + noted + underway`. */
export type Fate = 'served' | 'noted' | 'underway';

const FATES: Readonly<Partial<Record<RequestState, Fate>>> = {
  CONFIRMED: 'underway',
  EXECUTING: 'underway',
  COMPLETED: 'served',
  FAILED: 'noted',
  REFUSED: 'noted',
};

/** Where the credits went that were burned for a request; undefined where nothing was. */
export function fateOf({ state, namedTxid }: RequestAccount, hold: HeldFor): Fate | undefined {
  if (hold.burnTxid === null) return undefined;
  // Settled by the ledger, and its step still ahead: the next look takes it.
  return FATES[state] ?? (namedTxid === hold.burnTxid ? 'underway' : undefined);
}

/** What does not fit between a request and the credits that were set aside for it. */
export function accountFaults(request: RequestAccount | undefined, hold: HeldFor | undefined): string[] {
  if (!request) return ['credits are held for a request that nobody made'];
  if (request.isPaidByNote)
    return hold || request.note ? ['it is paid from a credit note, and credits were held or noted for it'] : [];
  if (!hold) return ['no credits were ever held for the request'];
  const { state, costMillicredits, note } = request;
  const faults: string[] = [];
  const isPaid = hold.burnTxid !== null;
  if (isPaid && fateOf(request, hold) === undefined) faults.push(`its credits are burned, and the request is ${state}`);
  if (request.burnTxid !== null && request.burnTxid !== hold.burnTxid)
    faults.push('it names another burn than the ledger has for it');
  if (!isPaid && FATES[state] !== undefined) faults.push(`the request is ${state}, and nothing was burned for it`);
  if (hold.state === 'held' && state !== 'QUOTED') faults.push(`credits are still held, and the request is ${state}`);
  if (hold.state === 'released' && state !== 'EXPIRED') faults.push(`its credits were given back, and the request is ${state}`);
  if (!isPaid && hold.millicredits !== costMillicredits)
    faults.push(`${hold.millicredits} millicredits are held for a cost of ${costMillicredits}`);
  if (isPaid && FATES[state] === 'served' && hold.millicredits !== costMillicredits)
    faults.push(`${hold.millicredits} millicredits were burned for a cost of ${costMillicredits}`);
  if (FATES[state] === 'noted' && !note) faults.push(`the request is ${state}, and no credit note was written`);
  if (FATES[state] !== 'noted' && note) faults.push(`a credit note was written, and the request is ${state}`);
  if (note && isPaid && note.burnTxid !== hold.burnTxid) faults.push('its credit note is for another burn');
  if (note && isPaid && note.millicredits !== hold.millicredits)
    faults.push(`its credit note is over ${note.millicredits} millicredits, and ${hold.millicredits} were burned`);
  return faults;
}
