import { allProviders, suites, verdictOf, type Verdict } from './conformance.spec-suite.js';
import { VendorServer } from './vendor-server.spec-suite.js';

/** `npm run provider:check -- <name>… | --all`: plays the fixtures of providers against them; exit code 1 on a failure. */
const wanted = process.argv.slice(2);
const names = allProviders.map(({ name }) => name);
const unknown = wanted.filter((name) => name !== '--all' && !names.includes(name));
if (wanted.length === 0 || unknown.length > 0) {
  console.error(`Usage: npm run provider:check -- <name>… | --all\nProviders: ${names.join(', ')}`);
  process.exit(1);
}

const server = new VendorServer();
await server.listen();
const verdicts: Verdict[] = [];
for (const provider of allProviders.filter(({ name }) => wanted.includes('--all') || wanted.includes(name))) {
  for (const suite of suites) {
    const verdict = await verdictOf(suite, provider, server);
    verdicts.push(verdict);
    console.log(
      `${provider.name.padEnd(18)} ${suite.name.padEnd(16)} ${cell(verdict)}${verdict.failure ? `: ${verdict.failure.message}` : ''}`,
    );
  }
}
await server.close();
console.log(`\n${table(verdicts)}`);
process.exitCode = verdicts.some(({ failure }) => failure) ? 1 : 0;

function cell({ failure, looks }: Verdict): string {
  return failure ? 'FAILED' : looks === undefined || looks === 0 ? '–' : `ok ${looks}`;
}
function table(all: readonly Verdict[]): string {
  const columns = suites.map(({ name }) => name);
  const rows = [...new Set(all.map(({ provider }) => provider))].map((provider) => [
    provider,
    ...columns.map((suite) => cell(all.find((verdict) => verdict.suite === suite && verdict.provider === provider)!)),
  ]);
  const lines = [['provider', ...columns], ...rows];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines
    .map((line) =>
      line
        .map((text, i) => text.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
