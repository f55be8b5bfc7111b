import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { runVectors } from './support/vectors/run.js';

/** Cases that the protocol's own files hold; a file that is not recognised any more would lower the number. */
const CASES = 643;

test('every vector of the protocol is run and passes', async () => {
  const report = await runVectors(fileURLToPath(new URL('./vectors/', import.meta.url)));
  expect(report.failures).toEqual([]);
  expect(report.passed).toBe(CASES);
});
