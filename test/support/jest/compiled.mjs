import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

const CONFIG = fileURLToPath(new URL('../../../.swcrc', import.meta.url));
const known = new Map();

/** The JavaScript of a TypeScript file, and its source map. */
export function compiled(path) {
  const source = readFileSync(path, 'utf8');
  const before = known.get(path);
  if (before?.source === source) return before;
  const { code, map } = transformSync(source, { filename: path, configFile: CONFIG, sourceMaps: true });
  const now = { source, code, map };
  known.set(path, now);
  return now;
}
