import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Optional } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { isTransient } from './errors.js';
import { StoredSteps } from './stored-steps.js';

/** Of one thing that is stored: unique, so that a crash test can stop right before or after it. */
export type StepName = `${string}: ${string}`;

/** Runs of one piece of work that PostgreSQL gave up because of a deadlock or a serialization failure. */
const ATTEMPTS_MAX = 4;

/** Whose work is being done. One for all: in Node 20 each of these slows every promise of the process down, for as long as it lives. */
const inside = new AsyncLocalStorage<readonly Transactions[]>();

/**
 * The only way to write. On PostgreSQL each piece of work gets a connection of its own; better-sqlite3 has one for all,
 * so there the pieces take turns: otherwise two of them would share one transaction, and one's roll-back would undo the other.
 */
@Injectable()
export class Transactions {
  private last: Promise<unknown> = Promise.resolve();
  constructor(
    private readonly source: DataSource,
    @Optional() private readonly steps: StoredSteps = new StoredSteps(),
  ) {}

  /**
   * For single reads outside of a transaction. On SQLite it may see rows of a transaction that is still open (one connection);
   * where an answer must rest on stored rows only, use {@link read}.
   */
  get reader(): EntityManager {
    return this.source.manager;
  }

  /** No other process uses this database: a SQLite file is one process's. */
  get isAlone(): boolean {
    return this.source.options.type === 'better-sqlite3';
  }

  /** Throws where the database does not answer. */
  async ping(): Promise<void> {
    await this.source.query('SELECT 1');
  }

  /**
   * All of it or nothing. Await only the database inside: no network, no waiting. Never nest: hand the manager on instead.
   * `work` may run again after a deadlock on PostgreSQL, so it changes nothing but rows.
   *
   * @param name `<story>: <what is stored>`, a literal that no other step has
   */
  async run<T>(name: StepName, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const done = async (manager: EntityManager): Promise<T> => {
      const result = await work(manager);
      this.steps.before(name);
      return result;
    };
    const result = await this.inTurn(() => this.attempt(done, 1));
    this.steps.after(name);
    return result;
  }

  /** Reads that see stored rows only, never those of an open transaction; the same rules as for {@link run}. */
  read<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.inTurn(() => work(this.source.manager));
  }

  /** Reads that all see the rows of one moment, whatever is written meanwhile; the same rules as for {@link run}. */
  snapshot<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.inTurn(() => (this.isAlone ? this.source.transaction(work) : this.source.transaction('REPEATABLE READ', work)));
  }

  private async attempt<T>(work: (manager: EntityManager) => Promise<T>, attempt: number): Promise<T> {
    try {
      return await this.source.transaction(work);
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !isTransient(error)) throw error;
      return this.attempt(work, attempt + 1);
    }
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const outer = inside.getStore() ?? [];
    if (outer.includes(this)) return Promise.reject(new Error('Transactions do not nest: hand the manager on'));
    const guarded = (): Promise<T> => inside.run([...outer, this], work);
    if (!this.isAlone) return guarded();
    const turn = this.last.then(guarded);
    this.last = turn.catch(() => undefined);
    return turn;
  }
}
