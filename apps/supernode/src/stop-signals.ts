import { constants } from 'node:os';

interface Drain {
  /** Resolves when the process may go. */
  readonly run: () => Promise<void>;
  /** It goes then in any case: what hangs is left behind, and every promise is a row. */
  readonly msMax: number;
}

let drain: Drain | undefined;
let isAsked = false;

/** From now on there is something to bring to an end before the process goes. */
export function drainOnStop(theDrain: Drain): void {
  drain = theDrain;
}

/**
 * What SIGTERM and SIGINT do. Import it before everything else: to the first process of a container a signal without a handler does nothing.
 *
 * 1. While the process starts, it ends at once: nothing has been promised, and what is stored is stored whole.
 * 2. Afterwards the first signal drains.
 * 3. A second one, of either kind, ends the process as it would without us.
 */
function stop(signal: 'SIGTERM' | 'SIGINT'): void {
  if (isAsked) process.exit(128 + constants.signals[signal]);
  isAsked = true;
  if (!drain) {
    console.log('Stopped before it had started');
    process.exit(0);
  }
  setTimeout(() => {
    console.log('Stopped; something did not close in time, and goes on at the next start');
    process.exit(0);
  }, drain.msMax);
  drain.run().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error('Stopped with an error.', error);
      process.exit(1);
    },
  );
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
