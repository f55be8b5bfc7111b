import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { seeded, type Category, type Case } from './contract.js';
import { closeHttp, overHttp } from './fuzz/http.js';
import { targets, type Target } from './fuzz/targets.js';

const MS_MAX = 100;
const MEASURED_AGAIN = 3;
const SHOWN_MAX = 2_000;

async function read({ read: target, refusals }: Target, input: unknown): Promise<number> {
  const begun = performance.now();
  try {
    await target(input);
  } catch (error) {
    if (!refusals.some((refusal) => error instanceof refusal)) throw error;
  }
  return performance.now() - begun;
}
/** A busy machine may hold anything up once; what takes long each time takes long. */
async function readInTime(target: Target, input: unknown): Promise<void> {
  let ms = await read(target, input);
  for (let again = 0; ms > MS_MAX && again < MEASURED_AGAIN; again++) ms = Math.min(ms, await read(target, input));
  assert.ok(ms <= MS_MAX, `it takes ${Math.round(ms)} ms`);
}

const caseOf = (target: Target): Case => ({
  name: target.name,
  engines: ['SQLite'],
  run: async (seed) => {
    const chance = seeded(seed);
    for (let i = 0; i < target.inputs; i++) {
      const input = target.draw(chance);
      try {
        await readInTime(target, input);
      } catch (error) {
        const shown = inspect(input, { depth: 1, maxStringLength: SHOWN_MAX, maxArrayLength: SHOWN_MAX, breakLength: Infinity });
        throw new Error(`${error instanceof Error ? error.message : String(error)}; input ${i}: ${shown}`, { cause: error });
      }
    }
  },
});

/** 20,000 inputs for each seed, and so a million with `--all`. */
export const fuzz: Category = {
  name: 'fuzz',
  seeds: 50,
  cases: async () => [...(await targets()).map(caseOf), overHttp],
  close: closeHttp,
};
