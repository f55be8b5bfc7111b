export type Dialect = 'sqlite' | 'postgres';

/** One step of the schema: plain SQL for both databases, written by `npm run migration:generate -- <name>`. */
export interface Migration {
  /** `<14 digits of UTC time>-<name>`; the order of the names is the order of the steps. */
  readonly name: string;
  readonly sqlite: readonly string[];
  readonly postgres: readonly string[];
}
