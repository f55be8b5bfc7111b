import { LessThanOrEqual, MoreThan, Or, type FindOperator } from 'typeorm';

/**
 * Due by now. So is what is due later than anything is ever put off: the clock was set back since, and nobody should wait until it is there again.
 * @param pauseMsMax the longest pause
 */
export const dueBy = (nowMs: number, pauseMsMax: number): FindOperator<number> =>
  Or(LessThanOrEqual(nowMs), MoreThan(nowMs + pauseMsMax));
