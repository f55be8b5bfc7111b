import type { NoteAccount } from '../credit-notes/note-account.entity.js';
import type { RequestState } from '../payment/request-state.rules.js';

export interface NoteCost {
  readonly noteId: string;
  readonly state: RequestState;
  readonly tenths: number;
}
export interface NoteFault {
  readonly noteId: string;
  readonly what: string;
  readonly stored: number;
  readonly computed: number;
}

const HELD: readonly RequestState[] = ['QUOTED', 'CONFIRMED', 'EXECUTING'];

/** What does not fit between what was written of a note, what is noted of its use, and the requests that it pays. Amounts in tenths of credits. */
export function noteFaults(
  accounts: readonly NoteAccount[],
  owed: ReadonlyMap<string, number>,
  costs: readonly NoteCost[],
): NoteFault[] {
  const sum = (noteId: string, states: readonly RequestState[]): number =>
    costs
      .filter((cost) => cost.noteId === noteId && states.includes(cost.state))
      .reduce((total, { tenths }) => total + tenths, 0);
  const known = new Map(accounts.map((account) => [account.credit_note_id, account]));
  const ids = new Set([...known.keys(), ...costs.map(({ noteId }) => noteId)]);
  return [...ids].flatMap((noteId) => {
    const account = known.get(noteId);
    const compare = (what: string, stored: number, computed: number): NoteFault[] =>
      stored === computed ? [] : [{ noteId, what, stored, computed }];
    return [
      ...compare('tenths held', account?.held_tenths ?? 0, sum(noteId, HELD)),
      ...compare('tenths redeemed', account?.redeemed_tenths ?? 0, sum(noteId, ['COMPLETED'])),
      ...(account ? compare('tenths owed', account.owed_tenths, owed.get(noteId) ?? 0) : []),
    ];
  });
}
