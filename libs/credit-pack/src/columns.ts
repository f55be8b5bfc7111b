import type { ColumnOptions } from 'typeorm';
import { bigintAsNumber } from '#database';
import { readJson, received, writeJson, type JsonObject, type MessageClass } from '#protocol';

/** A safe integer; both databases hold 64 bits. */
export const integerColumn = (options: ColumnOptions = {}): ColumnOptions => ({
  type: 'bigint',
  transformer: bigintAsNumber,
  ...options,
});

/** A whole message as the text it was sealed in, so that an answer can be given again to the letter. */
export const messageColumn = <M extends object>(type: MessageClass<M>, options: ColumnOptions = {}): ColumnOptions => ({
  type: 'text',
  nullable: true,
  transformer: {
    to: (message: M | null | undefined) => (message ? writeJson(message) : message),
    from: (text: string | null) => (text === null ? null : received(type, readJson(text) as JsonObject)),
  },
  ...options,
});
