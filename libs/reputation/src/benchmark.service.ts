import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Chain } from '#chain';
import { Clock } from '#protocol';
import { BenchmarkRepository } from './benchmark.repository.js';
import { benchmarkScore, ratioOf, type BenchmarkScore } from './benchmark.rules.js';

/** Enough calls for a figure, few enough not to be a load of its own. */
const CALLS = 16;
const RUN_MS_MAX = 4000;

/**
 * How fast this node's pasteld answers. The first run is done before the service listens: clients drop a
 * supernode whose figure is missing (clients spec 2.2). Where pasteld is away at that moment, the last stored figure stands.
 */
@Injectable()
export class BenchmarkService implements OnApplicationBootstrap {
  private readonly logger = new Logger(BenchmarkService.name);
  private latest: (BenchmarkScore & { readonly at: Date }) | undefined;
  constructor(
    private readonly chain: Chain,
    private readonly runs: BenchmarkRepository,
    private readonly clock: Clock,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.sweep(this.clock.now());
    if (this.latest) return;
    const stored = await this.runs.latest();
    if (stored) this.latest = { score: stored.score, ratio: ratioOf(stored.score), at: new Date(stored.at_ms) };
  }

  get current(): (BenchmarkScore & { readonly at: Date }) | undefined {
    return this.latest;
  }

  /** Measures once; a pasteld that does not answer leaves the last figure standing. */
  async sweep(now: Date): Promise<void> {
    let answers = 0;
    try {
      while (answers < CALLS && this.clock.now().getTime() - now.getTime() < RUN_MS_MAX) {
        await this.chain.height();
        answers++;
      }
    } catch (error) {
      this.logger.warn(`Benchmark stopped after ${answers} answers: ${(error as Error).message}`);
    }
    const at = this.clock.now();
    if (answers === 0) return;
    this.latest = { ...benchmarkScore(answers, at.getTime() - now.getTime()), at };
    await this.runs.add({ at_ms: at.getTime(), score: this.latest.score });
  }
}
