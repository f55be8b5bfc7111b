import assert from 'node:assert/strict';
import { pick, seeded, shuffled, type Case, type Category, type Engine, type EngineName } from './contract.js';
import { commands } from './crash/commands.js';
import { coverage } from './crash/coverage.js';
import type { Kill } from './crash/protocol.js';
import { stories } from './crash/stories.js';
import type { Story } from './crash/story.js';
import { World } from './crash/world.js';

/** A world has seen enough after so many stories: its chain and its books get long. */
const STORIES_PER_WORLD = 60;
/** A slice kills at so many steps, once each, on these databases. */
const SLICE: readonly EngineName[] = ['SQLite', 'PostgreSQL'];

/** Two stories or more, each with a process that starts again; a busy machine takes its time. */
const SECONDS_MAX = 300;

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

/** A story in which somebody is killed right before or right after the step is stored. */
async function killedAt(world: World, step: string, when: When, chance: () => number): Promise<void> {
  const { stories: names = [], command, first } = coverage[step]!;
  const drawn = 1 + Math.floor(chance() * 2);
  for (const nth of drawn === 1 ? [1] : [drawn, 1]) {
    const kills: Kill[] = [...(first ? [first] : []), { point: step, when, nth }];
    const killed =
      command === undefined
        ? await killedInStory(world, stories[pick(chance, names)]!, chance, kills)
        : await commands[command]!(world, chance, kills);
    await world.expectSound();
    if (killed >= kills.length) return;
  }
  assert.fail(`Nobody came to this step. The patient came to: ${[...world.stored.keys()].join(', ')}`);
}
async function killedInStory(world: World, story: Story, chance: () => number, kills: readonly Kill[]): Promise<number> {
  const before = world.kills;
  world.stored.clear();
  await world.arm(...kills);
  await story(world, chance);
  await world.arm();
  return world.kills - before;
}

const caseOf = (step: string, whens: readonly When[], engines?: readonly EngineName[]): Case => ({
  name: step,
  secondsMax: SECONDS_MAX,
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
