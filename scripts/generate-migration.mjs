// Writes the step of the schema that is not released yet: what the entities say and the released steps do not give, for SQLite and
// PostgreSQL. A step that is not released is thrown away and written anew as a whole, so that it can be run as often as one likes.
//   npm run migration:generate                     with the name it has
//   npm run migration:generate -- add-receipts     with this name
//   npm run migration:generate -- --release        from now on it is never written again
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import prettier from 'prettier';
import { DataSource } from 'typeorm';
import startPostgres from '../test/support/start-postgres.mjs';
import stopPostgres from '../test/support/stop-postgres.mjs';
import { entities } from '../dist/apps/supernode/src/supernode.js';
import { dataSourceOptions, migrate, schemaDifference } from '../dist/libs/database/src/index.js';
import { byHand } from '../dist/libs/database/src/migrations/by-hand.js';
import { migrations } from '../dist/libs/database/src/migrations/index.js';

const folder = new URL('../libs/database/src/migrations/', import.meta.url);
const RELEASED = 'released.json';
const LINTED_STATEMENTS_MAX = 300;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { release: { type: 'boolean', default: false } } });
const released = JSON.parse(await readFile(new URL(RELEASED, folder), 'utf8'));
const frozen = migrations.filter(({ name }) => name in released);
const open = migrations.filter(({ name }) => !(name in released));

/** The statements that are missing after the released steps. */
async function missingIn(url) {
  const source = await new DataSource(dataSourceOptions(url, entities)).initialize();
  try {
    await migrate(source, frozen);
    for (const statement of byHand) await source.query(statement);
    return [...byHand, ...(await schemaDifference(source))];
  } finally {
    await source.destroy();
  }
}

async function write(file, text, parser = 'typescript') {
  const path = fileURLToPath(new URL(file, folder));
  const options = await prettier.resolveConfig(path);
  await writeFile(path, await prettier.format(text, { ...options, parser }));
}

async function writeIndex() {
  const steps = (await readdir(folder)).filter((file) => /^\d{14}-.*\.ts$/.test(file)).sort();
  await write(
    'index.ts',
    `// Written by \`npm run migration:generate\`; a step that was released is never edited again.
     import type { Migration } from '../migration.js';
     ${steps.map((file, i) => `import step${i + 1} from './${file.replace(/\.ts$/, '.js')}';`).join('\n')}

     export const migrations: readonly Migration[] = [${steps.map((_, i) => `step${i + 1}`).join(', ')}];\n`,
  );
}

async function generate(label) {
  await startPostgres();
  let step;
  try {
    const sqlite = await missingIn('sqlite::memory:');
    const postgres = await missingIn(`${process.env.TEST_POSTGRES_URL}/postgres`);
    step = { sqlite, postgres };
  } finally {
    await stopPostgres();
  }
  const { sqlite, postgres } = step;
  const [last] = open;
  const isSame =
    last?.name.slice(15) === label && JSON.stringify([last.sqlite, last.postgres]) === JSON.stringify([sqlite, postgres]);
  if (isSame) return console.log(`${last.name} is what the entities say.`);
  for (const { name } of open) await rm(new URL(`${name}.ts`, folder), { force: true });
  if (sqlite.length + postgres.length === 0) {
    await writeIndex();
    return console.log('The released steps give what the entities say; there is nothing to write.');
  }
  const name = `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}-${label}`;
  const isLong = sqlite.length + postgres.length > LINTED_STATEMENTS_MAX;
  await write(
    `${name}.ts`,
    `${isLong ? '/* eslint-disable max-lines -- a list, read once */\n' : ''}import type { Migration } from '../migration.js';

     export default ${JSON.stringify({ name, sqlite, postgres })} satisfies Migration;\n`,
  );
  await writeIndex();
  console.log(
    `Wrote libs/database/src/migrations/${name}.ts: ${sqlite.length} statements for SQLite, ${postgres.length} for PostgreSQL. Read it before you commit it.`,
  );
}

/** The same in test/database/schema.spec.ts. */
const fingerprint = (migration) => createHash('sha256').update(JSON.stringify(migration)).digest('hex');

async function release() {
  if (byHand.length > 0) console.log('Empty the list in libs/database/src/migrations/by-hand.ts: it is in the step now.');
  const all = Object.fromEntries(migrations.map((migration) => [migration.name, fingerprint(migration)]));
  await write(RELEASED, JSON.stringify(all), 'json');
  console.log(
    `Released: ${open.map(({ name }) => name).join(', ') || 'nothing new'}. Then: UPDATE_ROWS=1 npm test -- test/stories/whole-story`,
  );
}

const label = positionals[0] ?? open[0]?.name.slice(15);
if (values.release) await release();
else if (label !== undefined && /^[a-z][a-z0-9-]*$/.test(label) && !frozen.some(({ name }) => name.slice(15) === label))
  await generate(label);
else {
  console.error('Usage: npm run migration:generate -- <a name of its own in lower case, with dashes>');
  process.exitCode = 1;
}
