import { QueryFailedError } from 'typeorm';

/** PostgreSQL's SQLSTATEs and SQLite's extended result codes. */
const UNIQUE_VIOLATIONS = new Set(['23505', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY']);
const TRANSIENT_FAILURES = new Set(['40001', '40P01']);

const codeOf = (error: unknown): string | undefined => {
  if (!(error instanceof QueryFailedError)) return undefined;
  const { code } = error.driverError as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
};

/**
 * Whether a row was refused because its key is taken: somebody else was first. On PostgreSQL the transaction is lost with it,
 * so decide outside of `Transactions.run`, or insert with `orIgnore()` and look at what is there.
 */
export const isUniqueViolation = (error: unknown): boolean => UNIQUE_VIOLATIONS.has(codeOf(error) ?? '');

/** Serialization failure or deadlock: nothing was stored, and the same work may succeed when run again. */
export const isTransient = (error: unknown): boolean => TRANSIENT_FAILURES.has(codeOf(error) ?? '');
