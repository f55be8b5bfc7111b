import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { runVectors } from './support/vectors/run.js';

test('every vector passes, and the folder holds nothing that is not run', async () => {
  const report = await runVectors(fileURLToPath(new URL('./vectors/', import.meta.url)));
  expect(report.failures).toEqual([]);
  expect(report.passed).toBeGreaterThan(400);
  expect(report.skipped.filter((name) => !name.includes('('))).toEqual([]);
});
