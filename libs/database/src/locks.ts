import type { EntityManager, FindOneOptions } from 'typeorm';

const isSqlite = (manager: EntityManager): boolean => manager.dataSource.options.type === 'better-sqlite3';

/**
 * For the search of a claim: rows that another process is claiming are passed over instead of waited for. On SQLite nobody else is
 * in a transaction.
 */
export const passingOverLocked = (manager: EntityManager): Pick<FindOneOptions, 'lock'> =>
  isSqlite(manager) ? {} : { lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' } };

/**
 * Lets one transaction after another pass, over all processes, until each ends; `shared` ones pass together. Take it before any row
 * (docs/money.md tells the order). On SQLite transactions take turns anyhow.
 */
export async function passThrough(manager: EntityManager, gate: string, mode: 'alone' | 'shared' = 'alone'): Promise<void> {
  if (isSqlite(manager)) return;
  const lock = mode === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  await manager.query(`SELECT ${lock}(hashtextextended($1, 0))`, [gate]);
}
