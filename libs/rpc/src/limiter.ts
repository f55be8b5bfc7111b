/** At most so many pieces of work at a time; the others wait in line, and the line has an end. */
export class Limiter {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly runningMax: number,
    private readonly waitingMax: number,
  ) {}

  /** Undefined, at once, where the line is full. */
  enter(): Promise<() => void> | undefined {
    if (this.running < this.runningMax) {
      this.running++;
      return Promise.resolve(this.leaver());
    }
    if (this.waiting.length >= this.waitingMax) return undefined;
    return new Promise((resolve) => this.waiting.push(() => resolve(this.leaver())));
  }

  private leaver(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.waiting.shift();
      // The place goes straight to the next in line, so that nobody can slip in between.
      if (next) next();
      else this.running--;
    };
  }
}
