import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Each of them holds a connection as long as its work takes. */
const AT_ONCE_MAX = 4;

/**
 * Keeps two processes from doing at the same time what one of them should do once, beyond the database: registering a ticket costs coins. The
 * lock belongs to a connection, so it is gone with its process. Whoever needs more than that stores what it did.
 */
@Injectable()
export class ProcessLocks {
  private readonly held = new Set<string>();
  constructor(private readonly source: DataSource) {}

  /** Undefined where somebody is at it, here or elsewhere, or where too much is going on: come again later. */
  async whileAlone<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    if (this.held.has(name) || this.held.size >= AT_ONCE_MAX) return undefined;
    this.held.add(name);
    try {
      return this.source.options.type === 'better-sqlite3' ? await work() : await this.locked(name, work);
    } finally {
      this.held.delete(name);
    }
  }

  private async locked<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    const runner = this.source.createQueryRunner();
    try {
      const [row] = (await runner.query('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS "isOurs"', [name])) as [
        { isOurs: boolean },
      ];
      if (!row.isOurs) return undefined;
      try {
        return await work();
      } finally {
        // Where it fails the connection is broken, and the lock gone with it.
        await runner.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]).catch(() => undefined);
      }
    } finally {
      await runner.release();
    }
  }
}
