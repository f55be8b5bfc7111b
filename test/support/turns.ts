/** Lets sockets and the thread pool of this process get on: a call over loopback needs several turns of the event loop. */
export const breath = (ms = 5): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/**
 * Makes one turn after another until the work is done.
 * @param look what is awaited before it is asked whether the work is done
 * @param turn what moves the world; the first has the number 1
 */
export async function turnUntil<T>(
  work: Promise<T>,
  { turnsMax, look, turn }: { turnsMax: number; look: () => Promise<unknown>; turn: (number: number) => Promise<void> },
): Promise<T> {
  let done = false;
  const settled = work.finally(() => {
    done = true;
  });
  settled.catch(() => undefined);
  for (let number = 1; !done; number++) {
    if (number > turnsMax) throw new Error(`What is waited for does not happen in ${turnsMax} turns`);
    await look();
    if (!done) await turn(number);
  }
  return settled;
}
