import { inspect } from 'node:util';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DataSource } from 'typeorm';
import { formsOf } from '#config';

/** Stands in every secret of a run, so that a leak can be looked for afterwards; another one in each run of jest (run.mjs). */
const CANARY = process.env['TEST_CANARY'] ?? 'canary-of-no-run-of-jest';
const forms = formsOf(CANARY);

/** A secret for a test: the name shows which one leaked; the signs are what encodings change. */
export const marked = (name: string): string => `${name}-${CANARY}/+=&"`;

/** Where the canary sings in a text, in whatever form; with what stands around it. */
export function leaksIn(text: string): string[] {
  return forms.flatMap((form) => {
    const at = text.indexOf(form);
    return at < 0 ? [] : [text.slice(Math.max(0, at - 80), at + form.length + 20)];
  });
}

/** Every row of every table, as text. */
export async function booksOf(app: NestExpressApplication): Promise<string> {
  const source = app.get(DataSource);
  const tables: string[] = [];
  for (const { tablePath, tableName } of source.entityMetadatas) {
    const rows = await source.query<Record<string, unknown>[]>(`SELECT * FROM ${source.driver.escape(tableName)}`);
    tables.push(`${tablePath}: ${rows.flatMap((row) => Object.values(row).map(printed)).join('\n')}`);
  }
  return tables.join('\n');
}
const printed = (value: unknown): string =>
  typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString('latin1') : inspect(value, { depth: null });

/** Throws where a secret got into the books of a node. */
export async function expectCleanBooks(app: NestExpressApplication): Promise<void> {
  const leaks = leaksIn(await booksOf(app));
  if (leaks.length > 0) throw new Error(`A secret stands in the books: ${leaks.join('\n')}`);
}
