import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSource, EntityManager } from 'typeorm';

/** Some rows of every table as they rest on SQLite; made by the version that was released last. */
export type Rows = Readonly<Record<string, readonly Readonly<Record<string, string | number | null>>[]>>;

const FILE = join(process.cwd(), 'test/database/rows.json');
const ROWS_PER_TABLE_MAX = 2;

export const readRows = (): Rows => JSON.parse(readFileSync(FILE, 'utf8')) as Rows;

/** Of several nodes on SQLite: those of the one that has most tables in use, so that its books add up; of the others what it has none of. */
export async function writeRows(sources: readonly DataSource[]): Promise<void> {
  const perNode = await Promise.all(sources.map(rowsOf));
  const inUse = (rows: Rows): number => Object.values(rows).filter((some) => some.length > 0).length;
  const [first, ...others] = perNode.sort((a, b) => inUse(b) - inUse(a));
  const filled = Object.entries(first!).map(([table, some]) => [
    table,
    some.length > 0 ? some : (others.find((rows) => rows[table]!.length > 0)?.[table] ?? []),
  ]);
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(filled), undefined, 2)}\n`);
}

async function rowsOf(source: DataSource): Promise<Rows> {
  const rows: Record<string, Rows[string]> = {};
  for (const { tableName } of source.entityMetadatas)
    rows[tableName] = await source.query<Rows[string]>(`SELECT * FROM "${tableName}" LIMIT ${ROWS_PER_TABLE_MAX}`);
  return rows;
}

export async function insertRows(manager: EntityManager, rows: Rows): Promise<void> {
  const isPostgres = manager.dataSource.options.type === 'postgres';
  for (const [table, some] of Object.entries(rows)) {
    const booleans = isPostgres ? await booleanColumns(manager, table) : new Set<string>();
    for (const row of some) {
      const columns = Object.keys(row).map((name) => `"${name}"`);
      const places = columns.map((_, i) => (isPostgres ? `$${i + 1}` : '?'));
      const values = Object.entries(row).map(([name, value]) => (booleans.has(name) ? value === 1 : value));
      await manager.query(`INSERT INTO "${table}" (${columns.join(', ')}) VALUES (${places.join(', ')})`, values);
    }
  }
}

async function booleanColumns(manager: EntityManager, table: string): Promise<Set<string>> {
  const found = await manager.query<{ column_name: string }[]>(
    `SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND data_type = 'boolean'`,
    [table],
  );
  return new Set(found.map(({ column_name }) => column_name));
}
