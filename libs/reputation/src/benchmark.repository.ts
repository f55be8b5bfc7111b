import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import { Transactions } from '#database';
import { BenchmarkRun } from './reputation.entities.js';

/** Two weeks (messaging spec 3.6). */
const KEPT_MS = 14 * 86_400_000;

/** How fast this node's pasteld answered. */
@Injectable()
export class BenchmarkRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Also forgets what is older than two weeks. */
  add(run: BenchmarkRun): Promise<void> {
    return this.transactions.run('reputation: benchmark stored', async (m) => {
      await m.upsert(BenchmarkRun, run, ['at_ms']);
      await m.delete(BenchmarkRun, { at_ms: LessThan(run.at_ms - KEPT_MS) });
    });
  }

  async latest(): Promise<BenchmarkRun | undefined> {
    const [run] = await this.transactions.read((m) => m.find(BenchmarkRun, { order: { at_ms: 'DESC' }, take: 1 }));
    return run;
  }

  /** All that are kept, oldest first. */
  history(): Promise<BenchmarkRun[]> {
    return this.transactions.read((m) => m.find(BenchmarkRun, { order: { at_ms: 'ASC' } }));
  }
}
