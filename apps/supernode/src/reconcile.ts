// Whether the books of a node add up; of a running one too. Changes nothing.
//   npm run reconcile                        the database of the settings, or those of the devnet's five supernodes
//   npm run reconcile -- sqlite:FILE …       these
// Prints every difference; exit 0 without any, 1 with some, 2 where the books cannot be read.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { Environment, namesNode, readSettings, SettingSources } from '#config';
import { dataSourceOptions, Transactions } from '#database';
import { Reconciliation, type Books } from '#inference';
import { MILLICREDITS_PER_CREDIT } from '#protocol';
import { entities } from './supernode.js';

const DATA = 'data';

function booksToRead(): string[] {
  const named = process.argv.slice(2);
  if (named.length > 0) return named;
  const sources = SettingSources.ofMachine();
  const { url } = readSettings(new Environment(sources)).database;
  if (namesNode(sources) || sources.has('DATABASE_URL') || !existsSync(DATA)) return [url];
  const ofDevnet = readdirSync(DATA, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('supernode.sqlite'))
    .map((file) => `sqlite:${join(DATA, file)}`)
    .sort();
  return ofDevnet.length > 0 ? ofDevnet : [url];
}

async function read(url: string): Promise<Books> {
  const options = dataSourceOptions(url, entities);
  // A mistyped name must not become an empty database that adds up.
  if (options.type === 'better-sqlite3' && !existsSync(options.database)) throw new Error('there is no such file');
  const source = await new DataSource(options).initialize();
  try {
    return await Reconciliation.over(new Transactions(source)).reconcile();
  } finally {
    await source.destroy();
  }
}

const credits = (millicredits: number): string => (millicredits / MILLICREDITS_PER_CREDIT).toFixed(1);
/** Without what may stand between `//` and `@`. */
const shown = (url: string): string => url.replace(/\/\/[^@/]*@/, '//');

function print(url: string, { packs, requests, burnedMillicredits, notesMillicredits, differences }: Books): void {
  const { served, noted, underway } = burnedMillicredits;
  console.log(
    `${shown(url)}: ${packs} packs, ${requests} requests; ${credits(served + noted + underway)} credits burned for requests = ` +
      `${credits(served)} served + ${credits(notesMillicredits.open)} in open credit notes + ${credits(notesMillicredits.redeemed)} redeemed + ` +
      `${credits(underway)} underway; ` +
      `${differences.length === 0 ? 'everything adds up' : `${differences.length} differences`}`,
  );
  for (const { packTxid, what, stored, computed } of differences)
    console.log(`  ${packTxid === undefined ? '' : `pack ${packTxid}: `}${what}: stored ${stored}, computed ${computed}`);
}

for (const url of booksToRead()) {
  try {
    const books = await read(url);
    print(url, books);
    if (books.differences.length > 0) process.exitCode ??= 1;
  } catch (error) {
    console.error(`${shown(url)}: the books cannot be read: ${(error as Error).message}`);
    process.exitCode = 2;
  }
}
