// What the processes of a crash test say to each other.

/** Where a process kills itself. */
export interface Kill {
  readonly point: string;
  readonly when: 'before' | 'after';
  /** At which time that it comes there, from 1. */
  readonly nth: number;
}
export interface SupernodeOrder {
  readonly environment: Readonly<Record<string, string>>;
  readonly host: string;
  readonly port: number;
  readonly now: number;
  readonly kill?: Kill;
}

type Call = { readonly id: number; readonly name: string; readonly argument: unknown };
export type FromParent = { readonly order: unknown } | Call;
export type FromChild =
  | { readonly ready: true }
  | { readonly stored: string }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string; readonly code?: string };

/** Counts how often the process comes to its point, and kills it there. */
export class CrashPoint {
  private times = 0;
  private kill: Kill | undefined;

  /** From now on; nothing where absent. */
  arm(kill: Kill | undefined): void {
    this.kill = kill;
    this.times = 0;
  }

  before(name: string): void {
    if (this.kill?.point !== name) return;
    this.times++;
    if (this.kill.when === 'before') this.killHere();
  }
  after(name: string): void {
    process.send?.({ stored: name } satisfies FromChild);
    if (this.kill?.point === name && this.kill.when === 'after') this.killHere();
  }
  private killHere(): void {
    // Not an exit: no handler runs, no transaction is closed, no buffer is flushed.
    if (this.times === this.kill?.nth) process.kill(process.pid, 'SIGKILL');
  }
}

export type Answers = Readonly<Record<string, (argument: never) => Promise<unknown>>>;

/** The child's end: loaded, it waits for its order, then answers calls until its parent lets go of it. */
export async function answering<Order>(begin: (order: Order) => Promise<Answers>): Promise<void> {
  const send = (message: FromChild): void => void process.send?.(message);
  process.once('disconnect', () => process.exit(0));
  let answers: Answers = {};
  const order = await new Promise<Order>((resolve) => {
    process.on('message', (message: FromParent) => {
      if ('order' in message) return resolve(message.order as Order);
      const { id, name, argument } = message;
      Promise.resolve(answers[name]!(argument as never)).then(
        (result) => send({ id, result }),
        (error: Error & { code?: string }) =>
          send({ id, error: error.message, ...(typeof error.code === 'string' && { code: error.code }) }),
      );
    });
  });
  answers = await begin(order);
  send({ ready: true });
}
