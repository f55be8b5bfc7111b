/** Work of which one run at a time is enough: who asks meanwhile gets the result of the running one. */
export class SingleFlight<T> {
  private running: Promise<T> | undefined;
  private closing = false;

  run(work: () => Promise<T>): Promise<T> {
    return (this.running ??= work().finally(() => (this.running = undefined)));
  }
  /** Long work looks here between two pieces and leaves the rest for after the restart. */
  get isClosing(): boolean {
    return this.closing;
  }
  /** Waits for the running work, so that the database is not closed under it. */
  async close(): Promise<void> {
    this.closing = true;
    await this.running?.catch(() => undefined);
  }
}
