import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions, EntitySchema } from 'typeorm';
import { Transactions } from './transactions.js';

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- TypeORM's own word for a decorated entity
export type Entity = Function | EntitySchema;

/** `sqlite:<file>`, `sqlite::memory:` (also the original's `sqlite+aiosqlite:///file`), or `postgres://…`. */
export function dataSourceOptions(url: string, entities: readonly Entity[]): DataSourceOptions {
  const sqlite = /^sqlite(?:\+\w+)?:(?:\/\/\/)?(.*)$/.exec(url);
  if (sqlite) return { type: 'better-sqlite3', database: sqlite[1]!, entities: [...entities], enableWAL: sqlite[1] !== ':memory:' };
  return { type: 'postgres', url, entities: [...entities] };
}

@Global()
@Module({ providers: [Transactions], exports: [Transactions] })
export class DatabaseModule {
  static of(url: string, entities: readonly Entity[]): DynamicModule {
    return { module: DatabaseModule, imports: [TypeOrmModule.forRoot({ ...dataSourceOptions(url, entities), synchronize: true })] };
  }
}
