import { resolve } from 'node:path';
import { runVectors } from './run.js';

const report = await runVectors(resolve(process.argv[2] ?? 'test/vectors'));
for (const name of report.skipped) console.log(`skipped: ${name}`);
for (const failure of report.failures) console.log(`FAILED: ${failure}`);
console.log(`${report.passed} passed, ${report.failures.length} failed`);
process.exitCode = report.failures.length > 0 ? 1 : 0;
