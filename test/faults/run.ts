import 'reflect-metadata';
import { parseArgs } from 'node:util';
import type { Case, Category, Engine } from './contract.js';
import { openEngines } from './engines.js';
import { categories } from './registry.js';

const SECONDS_MAX = 120;
/** A case whose first seeds fail is not worth all the others. */
const FAILURES_MAX = 3;

const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    engine: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const firstSeed = wholeNumber(values.seed ?? '1', '--seed');
const seedsAsked = values.seeds === undefined ? undefined : wholeNumber(values.seeds, '--seeds');
// A case that is asked for by its name need not be in the slice.
const all = values.all || values.only.some((name) => !(name in categories));

function wholeNumber(text: string, option: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${option} takes a whole number from 1, not ${text}`);
  return Number(text);
}

/** The name of a category, or a part of `<category>: <case>`. */
const isAsked = (category: Category, name: string): boolean =>
  values.only.length === 0 ||
  values.only.some((only) => only === category.name || (only.includes(':') && `${category.name}: ${name}`.includes(only)));
const mayHold = (name: string): boolean => values.only.length === 0 || values.only.some((only) => only.split(':', 1)[0] === name);

async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function ran(category: Category, one: Case, engine: Engine): Promise<boolean> {
  const seeds = seedsAsked ?? (values.all && values.seed === undefined ? (one.seeds ?? category.seeds) : 1);
  const begun = performance.now();
  const failures: string[] = [];
  let tried = 0;
  while (tried < seeds && failures.length < FAILURES_MAX) {
    const seed = firstSeed + tried++;
    try {
      await within(one.secondsMax ?? SECONDS_MAX, one.run(seed, engine));
    } catch (error) {
      failures.push(
        `      seed ${seed}: ${reasonOf(error)}\n      npm run faults -- --only '${category.name}: ${one.name}' --engine ${engine.name} --seed ${seed}`,
      );
    }
  }
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const line = `${failures.length === 0 ? 'ok  ' : 'FAIL'}  ${category.name}: ${one.name}  ${engine.name}  ${tried} seed${tried === 1 ? '' : 's'}  ${seconds} s`;
  console.log([line, ...failures].join('\n'));
  return failures.length === 0;
}
const reasonOf = (error: unknown): string =>
  (error instanceof Error ? (error.stack ?? error.message) : String(error)).split('\n').slice(0, 12).join('\n      ');

const engines = await openEngines();
let [passed, failed] = [0, 0];

async function runCategory(category: Category): Promise<void> {
  const cases = (await category.cases({ all, seed: firstSeed })).filter(({ name }) => isAsked(category, name));
  for (const engine of engines.all.filter(({ name }) => values.engine === undefined || values.engine === name)) {
    for (const one of cases.filter((some) => some.engines?.includes(engine.name) ?? true)) {
      if (values.list) console.log(`${category.name}: ${one.name}  ${engine.name}`);
      else if (await ran(category, one, engine)) passed++;
      else failed++;
    }
  }
}

for (const name of Object.keys(categories).filter(mayHold)) {
  let category: Category | undefined;
  try {
    category = await categories[name]!();
    await runCategory(category);
  } catch (error) {
    console.log(`FAIL  ${name}\n      ${reasonOf(error)}`);
    failed++;
  } finally {
    await category?.close?.();
  }
}
await engines.close();
if (!values.list) {
  if (passed + failed === 0) {
    console.log('No case has this name');
    failed++;
  }
  console.log(`${passed} passed, ${failed} failed`);
}
// A case that ran out of time may hold the process with whatever it waits for.
process.exit(failed === 0 ? 0 : 1);
