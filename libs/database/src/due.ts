import { LessThanOrEqual, MoreThan, Or, type FindOperator } from 'typeorm';

/** When something is looked for that is due by now. */
export interface Due {
  readonly nowMs: number;
  /** The longest pause after which such things are due. */
  readonly pauseMsMax: number;
}

/** Due by now. So is what is due later than anything is ever put off: the clock was set back since, and nobody should wait until it is there again. */
export const dueBy = ({ nowMs, pauseMsMax }: Due): FindOperator<number> =>
  Or(LessThanOrEqual(nowMs), MoreThan(nowMs + pauseMsMax));
