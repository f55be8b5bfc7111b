import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/**
 * The only way to write. On PostgreSQL each piece of work gets a connection of its own; better-sqlite3 has one for all,
 * so there the pieces take turns: otherwise two of them would share one transaction, and one's roll-back would undo the other.
 */
@Injectable()
export class Transactions {
  private last: Promise<unknown> = Promise.resolve();
  constructor(private readonly source: DataSource) {}

  /** For reads outside of a transaction. */
  get reader(): EntityManager { return this.source.manager; }

  /** All of it or nothing. Await only the database inside: no network, no waiting. Never nest: hand the manager on instead. */
  run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    if (this.source.options.type !== 'better-sqlite3') return this.source.transaction(work);
    const turn = this.last.then(() => this.source.transaction(work));
    this.last = turn.catch(() => undefined);
    return turn;
  }
}
