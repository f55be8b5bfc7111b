import type { Engine } from './contract.js';

/** What the cases of a category share because it is dear: one at a time, made on first use, anew for another database. */
export class Shared<T> {
  private current: { readonly engine: Engine; readonly opened: Promise<T> } | undefined;
  constructor(
    private readonly open: (engine: Engine) => Promise<T>,
    private readonly close: (it: T) => Promise<void>,
  ) {}

  async on(engine: Engine): Promise<T> {
    if (this.current?.engine !== engine) {
      await this.leave();
      this.current = { engine, opened: this.open(engine) };
    }
    return this.current.opened;
  }
  /** The next use makes another one. */
  readonly leave = async (): Promise<void> => {
    const left = await this.current?.opened.catch(() => undefined);
    this.current = undefined;
    if (left !== undefined) await this.close(left);
  };
}
