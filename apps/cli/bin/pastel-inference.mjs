#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../../../dist/apps/cli/src/main.js', import.meta.url);
if (existsSync(program)) {
  const { run } = await import(program.href);
  process.exitCode = await run(process.argv.slice(2));
} else {
  console.error('pastel-inference is not built yet. Run this first, in the project folder: npm run build');
  process.exitCode = 1;
}
