import assert from 'node:assert/strict';
import { pick, seeded, shuffled, type Case, type Category, type Engine, type EngineName } from './contract.js';
import { coverage } from './crash/coverage.js';
import type { Kill } from './crash/protocol.js';
import { stories } from './crash/stories.js';
import { World } from './crash/world.js';

/** A world has seen enough after so many stories: its chain and its books get long. */
const STORIES_PER_WORLD = 60;
/** A slice kills at so many steps, once each, on these databases. */
const SLICE: readonly EngineName[] = ['SQLite', 'SQLite', 'PostgreSQL'];

type When = Kill['when'];
const BOTH: readonly When[] = ['before', 'after'];

const worlds = new Map<string, { world: Promise<World>; stories: number }>();

async function worldOn(engine: Engine): Promise<World> {
  const known = worlds.get(engine.name);
  if (known && known.stories++ < STORIES_PER_WORLD) return known.world;
  await leave(engine.name);
  const world = World.start(engine);
  worlds.set(engine.name, { world, stories: 1 });
  return world;
}
async function leave(engine: string): Promise<void> {
  const known = worlds.get(engine);
  worlds.delete(engine);
  await (await known?.world.catch(() => undefined))?.close();
}

/** A story in which the patient is killed once, right before or right after the step is stored. */
async function killedAt(world: World, step: string, when: When, chance: () => number): Promise<void> {
  const story = stories[pick(chance, coverage[step]!)]!;
  const drawn = 1 + Math.floor(chance() * 2);
  for (const nth of drawn === 1 ? [1] : [drawn, 1]) {
    const kills = world.kills;
    world.stored.clear();
    await world.arm({ point: step, when, nth });
    await story(world, chance);
    await world.arm();
    await world.expectSound();
    if (world.kills > kills) return;
  }
  assert.fail(`The story never came to this step; it came to: ${[...world.stored.keys()].join(', ')}`);
}

const caseOf = (step: string, whens: readonly When[], engines?: readonly EngineName[]): Case => ({
  name: step,
  ...(engines && { engines }),
  run: async (seed, engine) => {
    const chance = seeded(seed);
    try {
      const world = await worldOn(engine);
      for (const when of whens) await killedAt(world, step, when, chance);
    } catch (error) {
      // What went wrong here is not to trouble the next case.
      await leave(engine.name);
      throw error;
    }
  },
});

/**
 * At every stored step a process is killed, right before and right after, and started again on the same books; the story goes on, and
 * afterwards the books balance, what was burned was burned once and has brought what it was burned for.
 */
export const crash: Category = {
  name: 'crash',
  seeds: 20,
  cases: ({ all, seed }) => {
    const steps = Object.keys(coverage);
    if (all) return steps.map((step) => caseOf(step, BOTH));
    const chance = seeded(seed);
    const drawn = shuffled(chance, steps);
    return SLICE.map((engine, i) => caseOf(drawn[i]!, [pick(chance, BOTH)], [engine]));
  },
  close: async () => {
    for (const engine of [...worlds.keys()]) await leave(engine);
  },
};
