import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { Environment, namesNode, readSettings, SettingSources } from '#config';
import { PackChainAudit, type Difference } from '#credit-pack';
import { dataSourceOptions, Transactions } from '#database';
import { Reconciliation, type Books } from '#inference';
import { MILLICREDITS_PER_CREDIT } from '#protocol';
import { entities } from '../../supernode/src/supernode.js';
import type { Context } from './context.js';
import { printResult, UsageError, CommandFailed } from './output.js';

const DATA = 'data';

interface AuditedBooks extends Books {
  /** The database, without a password. */
  readonly database: string;
}

/**
 * Recomputes the books of a supernode from its rows and from the chain, and names every difference; of a running node too. Changes nothing.
 * @param databases their addresses; where there are none, that of the settings, or those of the devnet in this folder
 */
export async function auditBooks({ node, terminal, json }: Context, databases: readonly string[], options: { chain: boolean }) {
  const audited: AuditedBooks[] = [];
  for (const url of databases.length > 0 ? databases : ownDatabases()) {
    const books = await read(url, async (transactions) => {
      const found = await Reconciliation.over(transactions).reconcile();
      const ofChain = options.chain ? await PackChainAudit.over(transactions, node.chain, node.chainSettings).differences() : [];
      return { ...found, differences: [...found.differences, ...ofChain] };
    });
    audited.push({ database: shown(url), ...books });
  }
  printResult(terminal, json, { books: audited.map(plain) }, audited.map(told).join('\n'));
  const differences = audited.reduce((sum, books) => sum + books.differences.length, 0);
  if (differences > 0) throw new CommandFailed(`${differences} differences in the books`);
}

function ownDatabases(): string[] {
  const sources = SettingSources.ofMachine();
  const { url } = readSettings(new Environment(sources)).database;
  if (namesNode(sources) || sources.has('DATABASE_URL') || !existsSync(DATA)) return [url];
  const ofDevnet = readdirSync(DATA, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('supernode.sqlite'))
    .map((file) => `sqlite:${join(DATA, file)}`)
    .sort();
  return ofDevnet.length > 0 ? ofDevnet : [url];
}

async function read<T>(url: string, work: (transactions: Transactions) => Promise<T>): Promise<T> {
  const options = dataSourceOptions(url, entities);
  // A mistyped name must not become an empty database that adds up.
  if (options.type === 'better-sqlite3' && !existsSync(options.database))
    throw new UsageError(`${shown(url)}: there is no such file`);
  const source = await new DataSource(options).initialize().catch((error: Error) => {
    throw new UsageError(`${shown(url)}: the books cannot be read: ${error.message}`);
  });
  try {
    return await work(new Transactions(source));
  } finally {
    await source.destroy();
  }
}

const credits = (millicredits: number): string => (millicredits / MILLICREDITS_PER_CREDIT).toFixed(1);
/** Without what may stand between `//` and `@`. */
const shown = (url: string): string => url.replace(/\/\/[^@/]*@/, '//');
const lineOf = ({ packTxid, what, stored, computed }: Difference): string =>
  `  ${packTxid === undefined ? '' : `pack ${packTxid}: `}${what}: stored ${stored}, computed ${computed}`;

const frozenLine = ({ packTxid, requestId, millicredits }: Books['frozen'][number]): string =>
  `  frozen: pack ${packTxid}: ${credits(millicredits)} credits ` +
  (requestId === undefined ? 'held or burned, and its ticket or purchase burn' : `of request ${requestId}, and its burn`) +
  ' has vanished from the chain';

function told({ database, packs, requests, burnedMillicredits, notesMillicredits, differences, frozen }: AuditedBooks): string {
  const { served, noted, underway } = burnedMillicredits;
  const { open, redeemed } = notesMillicredits;
  const sum =
    `${database}: ${packs} packs, ${requests} requests; ${credits(served + noted + underway)} credits burned for requests = ` +
    `${credits(served)} served + ${credits(open)} in open credit notes + ${credits(redeemed)} in redeemed ones + ${credits(underway)} underway; ` +
    (differences.length === 0 ? 'everything adds up' : `${differences.length} differences`);
  return [sum, ...differences.map(lineOf), ...frozen.map(frozenLine)].join('\n');
}

const plain = ({
  database,
  packs,
  requests,
  burnedMillicredits: burned,
  notesMillicredits: notes,
  differences,
  frozen,
}: AuditedBooks) => ({
  database,
  packs,
  requests,
  credits_served: burned.served / MILLICREDITS_PER_CREDIT,
  credits_underway: burned.underway / MILLICREDITS_PER_CREDIT,
  credits_in_open_notes: notes.open / MILLICREDITS_PER_CREDIT,
  credits_in_redeemed_notes: notes.redeemed / MILLICREDITS_PER_CREDIT,
  differences: differences.map(({ packTxid, ...difference }) => ({ pack: packTxid ?? null, ...difference })),
  frozen: frozen.map(({ packTxid, requestId, millicredits }) => ({
    pack: packTxid,
    request: requestId ?? null,
    credits: millicredits / MILLICREDITS_PER_CREDIT,
  })),
});
