/** What a category of faults gives to the runner; README.md beside this file tells how to add one. */
export interface Category {
  /** One word; `--only` finds it by this. */
  readonly name: string;
  /** Seeds of each case with `--all`, unless `--seeds` says otherwise. Without `--all` each case runs once. */
  readonly seeds: number;
  /** In the order in which they run. */
  cases(options: Options): readonly Case[] | Promise<readonly Case[]>;
  /** Gives back what the cases share. Called once, after the last one. */
  close?(): Promise<void>;
}

interface Options {
  /** Everything, or only a slice: a few seconds for each category on two cores. */
  readonly all: boolean;
  /** The first seed: whoever draws a slice draws it from this. */
  readonly seed: number;
}

export interface Case {
  readonly name: string;
  /** Both where absent. Name one for a case that needs no database. */
  readonly engines?: readonly EngineName[];
  /** In the place of those of the category. */
  readonly seeds?: number;
  /** A run that takes longer has failed; 120 where absent. */
  readonly secondsMax?: number;
  /** Throws what is wrong. Everything that is drawn comes from the seed ({@link seeded}). */
  run(seed: number, engine: Engine): Promise<void>;
}

export type EngineName = 'SQLite' | 'PostgreSQL';
export interface Engine {
  readonly name: EngineName;
  /** The address of a new, empty database that outlives any process that opens it. Whoever runs the cases removes it. */
  newDatabase(): Promise<string>;
}

/** Numbers from 0 up to 1 that follow from the seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
export const pick = <T>(chance: () => number, from: readonly T[]): T => from[Math.floor(chance() * from.length)]!;
export function shuffled<T>(chance: () => number, from: readonly T[]): T[] {
  const left = [...from];
  return from.map(() => left.splice(Math.floor(chance() * left.length), 1)[0]!);
}
