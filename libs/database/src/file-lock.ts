import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';

/** A second process wants the same SQLite file. */
export class DatabaseInUse extends Error {
  override readonly name = 'DatabaseInUse';
  constructor(file: string) {
    super(
      `Another process has the database ${file} open. A SQLite file serves one process: stop the other one, or let several share one PostgreSQL (DATABASE_URL=postgres://…).`,
    );
  }
}

/** Until it is called, this process is the only one that has the file. */
export type Release = () => void;

/**
 * Takes the file for this process, by a lock on `<file>.lock`. The operating system holds it, so it is gone with the process, however that
 * ends; what stays is an empty file that means nothing.
 *
 * @param waitMs how long to wait for another one to end; nothing else runs meanwhile
 * @throws DatabaseInUse
 */
export function takeFile(file: string, waitMs = 0): Release {
  mkdirSync(dirname(file), { recursive: true });
  const lock = new Sqlite(`${file}.lock`, { timeout: waitMs });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { code?: unknown }).code === 'SQLITE_BUSY') throw new DatabaseInUse(file);
    throw error;
  }
  return () => lock.close();
}
