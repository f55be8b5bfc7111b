import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { SystemEntropy } from '#config';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { openTestDatabase, testDatabases } from '../../../test/support/databases.js';
import { databaseEntities } from './database.module.js';
import { CAMPAIGN_EVERY_MS, Leadership, LEASE_MS } from './leadership.service.js';
import { Lease } from './lease.entity.js';
import { LeaseRepository } from './lease.repository.js';
import { Transactions } from './transactions.js';

const [sqlite, postgres] = testDatabases();

describe('which process does the scheduled work', () => {
  let source: DataSource;
  let transactions: Transactions;
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['error', 'warn', 'log']));
  beforeEach(async () => {
    ({ source, transactions } = await openTestDatabase(postgres!, databaseEntities));
  });
  afterEach(() => source.destroy());

  /** A process with a clock of its own. */
  class Process {
    readonly clock: ManualClock;
    readonly leadership: Leadership;
    constructor(at = '2026-01-05T12:00:00Z', over = transactions) {
      this.clock = new ManualClock(Date.parse(at));
      this.leadership = new Leadership(new LeaseRepository(over), over, this.clock, new SystemEntropy());
    }
  }
  const leading = (processes: readonly Process[]) => processes.map(({ leadership }) => leadership.isOurs);
  /** Time passes for all; those named look at the lease as often as a process does. */
  const pass = async (ms: number, all: readonly Process[], alive = all): Promise<void> => {
    for (let passed = 0; passed < ms; passed += CAMPAIGN_EVERY_MS) {
      for (const { clock } of all) clock.advance(CAMPAIGN_EVERY_MS);
      for (const { leadership } of alive) await leadership.campaign();
    }
  };
  const lease = () => transactions.reader.findOneByOrFail(Lease, {});

  test('of processes that start together one leads, and goes on to', async () => {
    const all = [new Process(), new Process(), new Process()];
    expect(leading(all)).toEqual([false, false, false]);
    await Promise.all(all.map(({ leadership }) => leadership.campaign()));
    const first = leading(all);
    expect(first.filter(Boolean)).toHaveLength(1);
    await pass(10 * LEASE_MS, all);
    expect(leading(all)).toEqual(first);
    expect((await lease()).fence).toBe(1);
  });

  test('a dead one is followed by exactly one, in bounded time, and never before it has stopped to lead', async () => {
    const all = [new Process(), new Process(), new Process()];
    await all[0]!.leadership.campaign();
    await pass(LEASE_MS, all);
    expect(leading(all)).toEqual([true, false, false]);
    const alive = all.slice(1);
    for (let passed = 0; !leading(alive).includes(true); passed += CAMPAIGN_EVERY_MS) {
      expect(passed).toBeLessThanOrEqual(LEASE_MS + CAMPAIGN_EVERY_MS);
      await pass(CAMPAIGN_EVERY_MS, all, alive);
      expect(leading(all).filter(Boolean).length).toBeLessThanOrEqual(1);
    }
    expect((await lease()).fence).toBe(2);
    // It was only asleep, and finds out.
    await pass(CAMPAIGN_EVERY_MS, all);
    expect(leading(all).filter(Boolean)).toHaveLength(1);
    expect(all[0]!.leadership.isOurs).toBe(false);
  });

  test('one that stops is followed at once, and leads no more', async () => {
    const [old, next] = [new Process(), new Process()];
    await pass(CAMPAIGN_EVERY_MS, [old, next]);
    await old.leadership.resign();
    expect(old.leadership.isOurs).toBe(false);
    await next.leadership.campaign();
    await old.leadership.campaign();
    expect(leading([old, next])).toEqual([false, true]);
  });

  test('clocks that are ten minutes apart do not matter', async () => {
    const all = [new Process('2026-01-05T12:00:00Z'), new Process('2026-01-05T12:10:00Z'), new Process('2026-01-05T11:50:00Z')];
    await pass(20 * LEASE_MS, all);
    expect(leading(all)).toEqual([true, false, false]);
    await pass(LEASE_MS + 2 * CAMPAIGN_EVERY_MS, all, all.slice(1));
    expect(leading(all).filter(Boolean)).toHaveLength(1);
    expect(all[0]!.leadership.isOurs).toBe(false);
  });

  test.each([-600_000, 600_000, -3_600_000, 3_600_000])(
    'a clock that steps by %i ms makes neither two leaders for long nor none',
    async (step) => {
      for (const stepped of [0, 1]) {
        const all = [new Process(), new Process()];
        await pass(2 * LEASE_MS, all);
        all[stepped]!.clock.set(step);
        await pass(2 * CAMPAIGN_EVERY_MS, all);
        expect(leading(all).filter(Boolean)).toHaveLength(1);
        await pass(LEASE_MS + 2 * CAMPAIGN_EVERY_MS, all, [all.find(({ leadership }) => !leadership.isOurs)!]);
        expect(leading(all).filter(Boolean)).toHaveLength(1);
        await source.getRepository(Lease).clear();
      }
    },
  );

  test('without a database nobody leads for longer than a lease, and then one does again', async () => {
    const only = new Process();
    await only.leadership.campaign();
    await source.query('ALTER TABLE lease RENAME TO away');
    await pass(LEASE_MS, [only]);
    expect(only.leadership.isOurs).toBe(false);
    await source.query('ALTER TABLE away RENAME TO lease');
    await pass(CAMPAIGN_EVERY_MS, [only]);
    expect(only.leadership.isOurs).toBe(true);
  });

  test('work is done where the process leads', async () => {
    const [one, other] = [new Process(), new Process()];
    await pass(CAMPAIGN_EVERY_MS, [one, other]);
    const done: string[] = [];
    await one.leadership.whileOurs(async () => done.push('one'));
    await other.leadership.whileOurs(async () => done.push('other'));
    expect(done).toEqual(['one']);
  });

  test('SQLite has one process: a start after a crash leads at once', async () => {
    const file = await openTestDatabase(sqlite!, databaseEntities);
    try {
      const killed = new Process(undefined, file.transactions);
      await killed.leadership.campaign();
      const next = new Process(undefined, file.transactions);
      await next.leadership.campaign();
      expect(next.leadership.isOurs).toBe(true);
    } finally {
      await file.source.destroy();
    }
  });
});
