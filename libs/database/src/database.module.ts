import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions, openDataSource, type Entity, type SchemaBy } from './data-source.js';
import { Transactions } from './transactions.js';

@Global()
@Module({ providers: [Transactions], exports: [Transactions] })
export class DatabaseModule {
  /**
   * `schemaBy: 'migrations'` is for running services: the schema is brought up to date step by step, and a schema newer than
   * the code stops the start. `'synchronize'` makes the tables of just these entities, for tests and throw-away databases.
   */
  static of(url: string, entities: readonly Entity[], schemaBy: SchemaBy = 'synchronize'): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...dataSourceOptions(url, entities), retryAttempts: 1 }),
          dataSourceFactory: () => openDataSource(url, entities, schemaBy),
        }),
      ],
    };
  }
}
