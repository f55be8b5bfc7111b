import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromChild, FromParent } from './protocol.js';

/** The process was killed before it could answer. */
export class Killed extends Error {
  constructor() {
    super('The process was killed');
  }
}
/** What a process refused, by the code of its error. */
export class CallFailed extends Error {
  constructor(
    message: string,
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

/** The parent's end of a program beside this file: loaded at once, and begun when its order comes. */
export class Child<Order> {
  private readonly process: ChildProcess;
  private readonly waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  private calls = 0;
  private output = '';
  private isReady = false;
  /** Resolves when it is gone, with how. */
  readonly gone: Promise<'killed' | 'ended'>;
  private how = '';

  constructor(
    program: string,
    private readonly onStored: (name: string) => void,
  ) {
    this.process = fork(fileURLToPath(new URL(program, import.meta.url)), { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream!.on('data', (text: Buffer) => (this.output = (this.output + text.toString()).slice(-4_000)));
    this.gone = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => {
        this.how = `with ${signal ?? `code ${code}`}`;
        resolve(signal === 'SIGKILL' ? 'killed' : 'ended');
      });
    });
    this.process.on('message', (message: FromChild) => this.take(message));
    void this.gone.then((how) => {
      const error = how === 'killed' ? new Killed() : new Error(`The process ended ${this.how}: ${this.output}`);
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    });
  }

  /** False where it was killed on the way. */
  async begin(order: Order): Promise<boolean> {
    const ready = new Promise<boolean>((resolve) => {
      const look = (message: FromChild): void => {
        if ('ready' in message) resolve(true);
      };
      this.process.on('message', look);
    });
    this.send({ order });
    const begun = await Promise.race([ready, this.gone.then(() => false)]);
    if (!begun && (await this.gone) === 'ended')
      throw new Error(`The process did not begin, it ended ${this.how}: ${this.output}`);
    this.isReady = begun;
    return begun;
  }

  call<T>(name: string, argument?: unknown): Promise<T> {
    if (!this.isReady || !this.process.connected) return Promise.reject(new Killed());
    const id = ++this.calls;
    const answer = new Promise<T>((resolve, reject) =>
      this.waiting.set(id, { resolve: resolve as (result: unknown) => void, reject }),
    );
    this.send({ id, name, argument });
    return answer;
  }

  async stop(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.gone;
  }

  private send(message: FromParent): void {
    // Whoever waits for the answer learns from `gone` that there is none.
    this.process.send(message, () => undefined);
  }
  private take(message: FromChild): void {
    if ('stored' in message) this.onStored(message.stored);
    if (!('id' in message)) return;
    const waiter = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if ('error' in message) waiter?.reject(new CallFailed(message.error, message.code));
    else waiter?.resolve(message.result);
  }
}
