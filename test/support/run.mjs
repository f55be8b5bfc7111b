// What a whole run of the tests leaves behind is looked through for secrets. Every secret that a test network hands out holds one mark
// (canary.ts), which the run makes. Looked through are: everything printed on the consoles of all workers (canary-watch.mjs), every HTTP
// answer that `send` gets, the tables of every supernode of a test network when it stops, and at the end the files of PostgreSQL and
// whatever the tests left in their temporary folder. What a test removes itself is not seen here: keys.spec.ts looks into its own log.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FILE_BYTES_MAX = 256 * 2 ** 20;

/** The forms in which a text may stand in others: as it is, or as base64 at any of the three offsets. */
export function formsOf(text) {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6)),
  );
  return [text, ...base64];
}

export function beginRun() {
  const folder = mkdtempSync(join(tmpdir(), 'inference-layer-run-'));
  process.env.TEST_CANARY = `canary${randomBytes(9).toString('hex')}`;
  process.env.TEST_CANARY_HITS = join(folder, 'printed');
  process.env.TMPDIR = folder;
  return folder;
}

/** Throws, and so fails the run, where a secret was found. */
export function endRun(folder, databaseFolder) {
  const { TEST_CANARY: canary, TEST_CANARY_HITS: printed } = process.env;
  const found = existsSync(printed) ? [readFileSync(printed, 'utf8')] : [];
  const needles = formsOf(canary).map((form) => Buffer.from(form));
  for (const file of [...filesUnder(folder), ...tablesUnder(databaseFolder)]) {
    if (file === printed || statSync(file).size > FILE_BYTES_MAX) continue;
    const bytes = readFileSync(file);
    if (needles.some((needle) => bytes.includes(needle))) found.push(`in ${file}`);
  }
  rmSync(folder, { recursive: true, force: true });
  if (found.length > 0) throw new Error(`Secrets got out during the tests:\n${found.join('\n')}`);
}

const filesUnder = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : [];
/** What users of PostgreSQL make has numbers from 16384 on; the rest is its own. */
const tablesUnder = (folder) =>
  filesUnder(join(folder, 'base')).filter((file) => Number(/(\d+)[^/\\]*$/.exec(file)?.[1] ?? 0) >= 16_384);
