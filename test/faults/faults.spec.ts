import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { compileTo } from '../support/compile.js';
import { categories } from './registry.js';

let compiled: string;
beforeAll(async () => {
  const cache = resolve('node_modules/.cache');
  await mkdir(cache, { recursive: true });
  compiled = await mkdtemp(join(cache, 'faults-'));
  await compileTo(compiled, ['libs', 'apps', 'test/support', 'test/faults']);
}, 60_000);
afterAll(() => rm(compiled, { recursive: true, force: true }));

/** Two processes share a database there alone; everything else takes both with `npm run faults`. */
const enginesOf = (name: string): string[] => (name === 'burst' ? [] : ['--engine', 'SQLite']);

/** The slice, as `npm run faults` prints it. */
test.each(Object.keys(categories))(
  '%s',
  async (name) => {
    const run = promisify(execFile)(process.execPath, [join(compiled, 'test/faults/run.js'), '--only', name, ...enginesOf(name)]);
    const output = await run.then(
      ({ stdout }) => stdout,
      (error: { stdout: string; stderr: string }) => `${error.stdout}\n${error.stderr}`,
    );
    if (!/^[1-9]\d* passed, 0 failed$/m.test(output)) throw new Error(output);
    expect(output).toMatch(/\b0 failed\n$/);
  },
  120_000,
);
