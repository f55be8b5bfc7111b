import { Environment } from './environment.js';
import { readSettings } from './settings.js';
import type { ProviderVariables } from './slices.js';

const HEADER = `# Every setting, with its default. Copy to .env and change what you need; the environment wins over .env, which wins over
# ~/.pastel/pastel.conf. Secrets need not stand here: NAME_FILE names a file that holds one, and
# \`npx pastel-inference secrets set NAME\` keeps one encrypted (docs/operations.md). Written by \`npm run env:example\`.
`;

/** The text of \`.env.example\`: what {@link readSettings} asks for, in its order. */
export function envExample(providers: readonly ProviderVariables[]): string {
  const environment = new Environment({});
  readSettings(environment, providers);
  const lines = environment.described.map(
    ({ name, meaning, fallback, secret }) => `# ${meaning}${secret ? ' (secret)' : ''}\n#${name}=${fallback}\n`,
  );
  return [HEADER, ...lines].join('\n');
}
