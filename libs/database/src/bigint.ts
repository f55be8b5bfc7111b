import type { ValueTransformer } from 'typeorm';

/** For `bigint` columns that hold safe integers: PostgreSQL hands 64 bits back as text. */
export const bigintAsNumber: ValueTransformer = {
  to: (value: number | null | undefined) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};
