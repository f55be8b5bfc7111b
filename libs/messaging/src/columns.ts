import type { ColumnOptions } from 'typeorm';
import { bigintAsNumber } from '#database';

/** An instant as ISO text in UTC with milliseconds: orders as it stands, and reads the same on SQLite and PostgreSQL whatever their zone. */
export const instant: ColumnOptions = {
  type: 'text',
  transformer: {
    to: (value?: Date) => value?.toISOString(),
    from: (text: string | null) => (text === null ? null : new Date(text)),
  },
};

export const count: ColumnOptions = {
  type: 'bigint',
  default: 0,
  transformer: bigintAsNumber,
};
