import { ModulesContainer } from '@nestjs/core';
import { createSupernode } from '../../../apps/supernode/src/supernode.js';
import { Environment, readSettings, SystemEntropy } from '#config';
import { StoredSteps, Transactions } from '#database';
import { providers, Reconciliation } from '#inference';
import { MessageHandlers } from '#messaging';
import { pooledChecking } from '#protocol';
import { ManualClock } from '../../support/manual-clock.js';
import { answering, CrashPoint, type Kill, type SupernodeOrder } from './protocol.js';
import { FailingOnce } from './supernode-handlers.js';

// A supernode in a process of its own, whose clock and sweeps are moved from outside, and which kills itself where it is told to.

await answering<SupernodeOrder>(async ({ environment, host, port, now, kill }) => {
  const clock = new ManualClock(now);
  const point = new CrashPoint();
  point.arm(kill);
  const steps = new (class extends StoredSteps {
    override before(name: string): void {
      point.before(name);
    }
    override after(name: string): void {
      point.after(name);
    }
  })();
  const settings = readSettings(new Environment(environment), providers);
  const machine = { clock, entropy: new SystemEntropy(), checking: pooledChecking, steps };
  const app = await createSupernode({ settings, machine, schedules: false, schemaBy: 'synchronize', logger: false });
  app.get(MessageHandlers).register(new FailingOnce());
  await app.listen(port, host);

  const transactions = app.get(Transactions);
  const scheduled = [...scheduledIn(app.get(ModulesContainer))];
  const rows = (table: string, columns: readonly string[]): Promise<Record<string, unknown>[]> =>
    transactions.read((manager) => manager.query(`SELECT ${columns.map((column) => `"${column}"`).join(', ')} FROM "${table}"`));
  return {
    arm: async (next: Kill | undefined) => point.arm(next),
    time: async (to: number) => clock.advance(to - clock.now().getTime()),
    /** Everything that the schedules would do, once. `often`: only what they do every few seconds. */
    sweep: async ({ to, often }: { to: number; often: boolean }) => {
      clock.advance(to - clock.now().getTime());
      for (const { name, run } of scheduled) if (!often || !SELDOM.test(name)) await run();
    },
    rows: ({ table, columns }: { table: string; columns: string[] }) => rows(table, columns),
    close: () => app.close(),
    books: () => app.get(Reconciliation).reconcile(),
  };
});

const SELDOM = /benchmark|purge|forget/i;

/** What carries a schedule, in the order of the modules. */
function* scheduledIn(modules: ModulesContainer): Generator<{ name: string; run: () => Promise<unknown> }> {
  const seen = new Set<unknown>();
  for (const { providers: provided } of modules.values()) {
    for (const { instance, metatype } of provided.values()) {
      const prototype = (metatype as { prototype?: object } | null)?.prototype;
      if (typeof instance !== 'object' || instance === null || !prototype || seen.has(instance)) continue;
      seen.add(instance);
      for (const name of Object.getOwnPropertyNames(prototype)) {
        const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
        if (typeof method !== 'function' || Reflect.getMetadata('SCHEDULER_TYPE', method) === undefined) continue;
        yield { name: `${prototype.constructor.name}.${name}`, run: () => method.call(instance) as Promise<unknown> };
      }
    }
  }
}
