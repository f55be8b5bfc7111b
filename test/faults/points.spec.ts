import { expect, test } from '@jest/globals';
import { coverage } from './crash/coverage.js';
import { storedSteps } from './crash/points.js';

const steps = storedSteps();

test('every stored step has a name of its own, as a literal in the source', () => {
  expect(steps.length).toBeGreaterThan(80);
  for (const { name, at } of steps) expect([at, name]).toEqual([at, expect.stringMatching(/^[a-z][a-z ]+: [a-z][a-z -]+$/)]);
  const places = new Map<string, string[]>();
  for (const { name, at } of steps) places.set(name, [...(places.get(name) ?? []), at]);
  expect([...places].filter(([, at]) => at.length > 1)).toEqual([]);
});

test('every stored step has its crash test, and no crash test is without its step', () => {
  expect(Object.keys(coverage).sort()).toEqual(steps.map(({ name }) => name).sort());
});
