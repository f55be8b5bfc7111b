import type { DevnetCore } from './core.js';
import type { BlockSchedule } from './options.js';

/** Makes a block every so often, and one early where a transaction waits. */
export class BlockProducer {
  private readonly stopping = new AbortController();
  private waiting = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly devnet: DevnetCore,
    private readonly schedule: BlockSchedule,
  ) {}

  start(): void {
    if (this.schedule !== 'on demand') this.running = this.run(this.schedule);
  }
  transactionArrived(): void {
    this.waiting.abort();
  }
  async stop(): Promise<void> {
    this.stopping.abort();
    this.waiting.abort();
    await this.running;
  }

  private async run({ everySeconds, earlySeconds }: Exclude<BlockSchedule, 'on demand'>): Promise<void> {
    let last = this.devnet.clock.now().getTime();
    while (!this.stopping.signal.aborted) {
      const now = this.devnet.clock.now().getTime();
      const due = last + 1000 * (this.devnet.state.mempool.size > 0 ? Math.min(earlySeconds, everySeconds) : everySeconds);
      if (now >= due) {
        this.devnet.generate();
        last = now;
        continue;
      }
      this.waiting = new AbortController();
      await this.devnet.clock.wait(due - now, this.waiting.signal);
    }
  }
}
