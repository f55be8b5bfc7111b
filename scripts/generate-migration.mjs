// Writes the next step of the schema: what the entities say and the steps so far do not give, for SQLite and PostgreSQL.
//   npm run migration:generate -- add-receipts
import { readdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { DataSource } from 'typeorm';
import startPostgres from '../test/support/start-postgres.mjs';
import stopPostgres from '../test/support/stop-postgres.mjs';
import { entities } from '../dist/apps/supernode/src/supernode.js';
import { dataSourceOptions, migrate, schemaDifference } from '../dist/libs/database/src/index.js';

const folder = new URL('../libs/database/src/migrations/', import.meta.url);
const LINTED_STATEMENTS_MAX = 300;
const label = process.argv[2];
if (!/^[a-z][a-z0-9-]*$/.test(label ?? '')) {
  console.error('Usage: npm run migration:generate -- <name in lower case, with dashes>');
  process.exit(1);
}

/** The statements that are missing after the steps so far. */
async function missingIn(url) {
  const source = await new DataSource(dataSourceOptions(url, entities)).initialize();
  try {
    await migrate(source);
    return await schemaDifference(source);
  } finally {
    await source.destroy();
  }
}

async function write(file, text) {
  const path = fileURLToPath(new URL(file, folder));
  const options = await prettier.resolveConfig(path);
  await writeFile(path, await prettier.format(text, { ...options, parser: 'typescript' }));
}

await startPostgres();
try {
  const sqlite = await missingIn('sqlite::memory:');
  const postgres = await missingIn(`${process.env.TEST_POSTGRES_URL}/postgres`);
  if (sqlite.length + postgres.length === 0) console.log('The schema is what the entities say; nothing to write.');
  else {
    const name = `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}-${label}`;
    const lint =
      sqlite.length + postgres.length > LINTED_STATEMENTS_MAX ? '/* eslint-disable max-lines -- a list, read once */\n' : '';
    const step = JSON.stringify({ name, sqlite, postgres });
    await write(
      `${name}.ts`,
      `${lint}import type { Migration } from '../migration.js';\n\nexport default ${step} satisfies Migration;\n`,
    );
    const steps = (await readdir(folder)).filter((file) => /^\d{14}-.*\.ts$/.test(file)).sort();
    await write(
      'index.ts',
      `// Written by \`npm run migration:generate\`; a step that was released is never edited again.
       import type { Migration } from '../migration.js';
       ${steps.map((file, i) => `import step${i + 1} from './${file.replace(/\.ts$/, '.js')}';`).join('\n')}

       export const migrations: readonly Migration[] = [${steps.map((_, i) => `step${i + 1}`).join(', ')}];\n`,
    );
    console.log(
      `Wrote libs/database/src/migrations/${name}.ts: ${sqlite.length} statements for SQLite, ${postgres.length} for PostgreSQL. Read it before you commit it.`,
    );
  }
} finally {
  await stopPostgres();
}
