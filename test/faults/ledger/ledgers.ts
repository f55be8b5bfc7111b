import assert from 'node:assert/strict';
import { openLedger, openLedgerDatabase, type TestLedger } from '../../../libs/credit-pack/src/ledger/pack-ledger.spec-suite.js';
import type { FakeChain } from '../../../libs/credit-pack/src/ledger/pack-ledger.spec-suite.js';
import type { Engine } from '../contract.js';

type Opened = Awaited<ReturnType<typeof openLedgerDatabase>>;

/** Databases of ledgers that the cases of a category share: one for each supernode, and as many pools on it as it has processes. */
export class Ledgers {
  private readonly databases = new Map<string, { url: string; processes: Opened[] }>();

  /** @param process on PostgreSQL a pool of its own; SQLite has one process */
  private async opened(engine: Engine, supernode: number, process: number): Promise<Opened> {
    const key = `${engine.name} ${supernode}`;
    const known = this.databases.get(key) ?? { url: await engine.newDatabase(), processes: [] };
    this.databases.set(key, known);
    const at = engine.name === 'SQLite' ? 0 : process;
    return (known.processes[at] ??= await openLedgerDatabase({ name: engine.name, url: async () => known.url }));
  }
  /** A supernode whose books are empty. */
  async fresh(engine: Engine, chain?: FakeChain, supernode = 0): Promise<TestLedger> {
    return openLedger(await this.opened(engine, supernode, 0), chain);
  }
  /** The same books, with new services, as after a restart or in a second process. */
  async again(engine: Engine, chain: FakeChain, supernode = 0, process = 0): Promise<TestLedger> {
    return openLedger(await this.opened(engine, supernode, process), chain, { keep: true });
  }
  async close(): Promise<void> {
    for (const { processes } of this.databases.values()) for (const one of processes) await one?.source.destroy();
    this.databases.clear();
  }
}

/** What must hold whatever happened. */
export async function expectSound(node: TestLedger): Promise<void> {
  assert.deepEqual([...(await node.reconcile()).differences, ...(await node.chainDifferences())], []);
}
