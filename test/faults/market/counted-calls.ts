import { providers } from '#inference';

export interface CountedCalls {
  /** How often the model service was asked so far. */
  readonly count: () => number;
  stop(): void;
}

/** Counts what the sandbox is asked, at all nodes of this process. */
export function countCalls(): CountedCalls {
  let calls = 0;
  const undo: (() => void)[] = [];
  const sandbox = providers.find(({ name }) => name === 'sandbox')!;
  for (const ability of Object.values(sandbox.abilities) as { run: (given: never) => unknown }[]) {
    const { run } = ability;
    ability.run = (given) => {
      calls++;
      return run(given);
    };
    undo.push(() => void (ability.run = run));
  }
  return { count: () => calls, stop: () => undo.splice(0).forEach((each) => each()) };
}
