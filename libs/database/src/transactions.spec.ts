import 'reflect-metadata';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EntitySchema, type DataSource, type EntityManager } from 'typeorm';
import { openTestDatabase, testDatabases } from '../../../test/support/databases.js';
import { isUniqueViolation } from './errors.js';
import { StoredSteps } from './stored-steps.js';
import { Transactions } from './transactions.js';

interface Account {
  id: string;
  credits: number;
}
const accounts = new EntitySchema<Account>({
  name: 'account',
  columns: { id: { type: 'text', primary: true }, credits: { type: 'integer' } },
});
const add = (manager: EntityManager, id: string, credits = 0) => manager.insert(accounts, { id, credits });
/** Lets everything that is ready run first. */
const breathe = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe.each(testDatabases())('Transactions on $name', (database) => {
  let source: DataSource;
  let transactions: Transactions;
  beforeAll(async () => {
    ({ source, transactions } = await openTestDatabase(database, [accounts]));
  });
  afterAll(() => source.destroy());
  beforeEach(() => source.getRepository(accounts).clear());
  const ids = async () => (await transactions.reader.find(accounts, { order: { id: 'ASC' } })).map(({ id }) => id);

  test('a roll-back of one piece leaves another that runs at the same time', async () => {
    const failing = transactions.run('test: work', async (manager) => {
      await add(manager, 'lost');
      await breathe();
      throw new Error('on purpose');
    });
    const good = transactions.run('test: work', async (manager) => {
      await add(manager, 'kept');
      await breathe();
      await add(manager, 'kept too');
    });
    const results = await Promise.allSettled([failing, good]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(await ids()).toEqual(['kept', 'kept too']);
  });

  test('a conditional update never spends the same credits twice', async () => {
    await transactions.run('test: work', (manager) => add(manager, 'pack', 10));
    const spend = () =>
      transactions.run('test: work', async (manager) => {
        const { affected } = await manager
          .createQueryBuilder()
          .update(accounts)
          .set({ credits: () => 'credits - 3' })
          .where('id = :id AND credits >= 3', { id: 'pack' })
          .execute();
        return affected;
      });
    const affected = await Promise.all(Array.from({ length: 8 }, spend));
    expect(affected.filter((n) => n === 1)).toHaveLength(3);
    expect(await transactions.reader.findOneBy(accounts, { id: 'pack' })).toEqual({ id: 'pack', credits: 1 });
  });

  test('a key that is taken is told apart from other failures', async () => {
    await transactions.run('test: work', (manager) => add(manager, 'taken'));
    const refusal: unknown = await transactions
      .run('test: work', (manager) => add(manager, 'taken'))
      .catch((error: unknown) => error);
    expect(isUniqueViolation(refusal)).toBe(true);
    const other: unknown = await transactions
      .run('test: work', (manager) => manager.query('SELECT * FROM no_such_table'))
      .catch((error: unknown) => error);
    expect([other instanceof Error, isUniqueViolation(other)]).toEqual([true, false]);
    expect(isUniqueViolation({ code: '23505' })).toBe(false);
  });

  test('read does not see what an open transaction has written', async () => {
    let counted: number | undefined;
    const writing = transactions.run('test: work', async (manager) => {
      await add(manager, 'undecided');
      await breathe();
      throw new Error('on purpose');
    });
    const reading = transactions.read(async (manager) => {
      counted = await manager.count(accounts);
    });
    await Promise.allSettled([writing, reading]);
    expect(counted).toBe(0);
  });

  test('an observer is told of each stored step by its name: before, while all can be lost, and after', async () => {
    const told: string[] = [];
    const observed = new Transactions(
      source,
      new (class extends StoredSteps {
        override before(name: string) {
          told.push(`before ${name}`);
          if (name === 'test: lost') throw new Error('on purpose');
        }
        override after(name: string) {
          told.push(`after ${name}`);
        }
      })(),
    );
    await observed.run('test: kept', (manager) => add(manager, 'kept'));
    await expect(observed.run('test: lost', (manager) => add(manager, 'lost'))).rejects.toThrow('on purpose');
    expect(told).toEqual(['before test: kept', 'after test: kept', 'before test: lost']);
    expect(await ids()).toEqual(['kept']);
  });

  test('a nested transaction is refused instead of waiting for itself', async () => {
    const nested = transactions.run('test: work', () => transactions.run('test: work', async () => 1));
    await expect(nested).rejects.toThrow('do not nest');
    expect(await transactions.run('test: work', async () => 'next')).toBe('next');
  });
});

const postgres = testDatabases().find(({ name }) => name === 'PostgreSQL')!;
test('PostgreSQL: of two pieces in a deadlock the one that was given up runs again', async () => {
  const { source, transactions } = await openTestDatabase(postgres, [accounts]);
  try {
    await transactions.run('test: work', (manager) =>
      manager.insert(accounts, [
        { id: 'a', credits: 0 },
        { id: 'b', credits: 0 },
      ]),
    );
    let runs = 0;
    let arrived: () => void = () => undefined;
    const bothHoldOne = new Promise<void>((resolve) => (arrived = resolve));
    const raise = (first: string, second: string) =>
      transactions.run('test: work', async (manager) => {
        await manager.increment(accounts, { id: first }, 'credits', 1);
        if (++runs === 2) arrived();
        await bothHoldOne;
        await manager.increment(accounts, { id: second }, 'credits', 1);
      });
    await Promise.all([raise('a', 'b'), raise('b', 'a')]);
    expect(runs).toBe(3);
    expect((await transactions.reader.find(accounts)).map(({ credits }) => credits)).toEqual([2, 2]);
  } finally {
    await source.destroy();
  }
});
