import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions, openDataSource, type Entity, type SchemaBy } from './data-source.js';
import { Leadership } from './leadership.service.js';
import { LeadershipScheduler } from './leadership.scheduler.js';
import { Lease } from './lease.entity.js';
import { LeaseRepository } from './lease.repository.js';
import { ProcessLocks } from './process-locks.js';
import { Transactions } from './transactions.js';

/** Tables of its own, which every database has. */
export const databaseEntities: readonly Entity[] = [Lease];

@Global()
@Module({
  providers: [Transactions, LeaseRepository, Leadership, LeadershipScheduler, ProcessLocks],
  exports: [Transactions, Leadership, ProcessLocks],
})
export class DatabaseModule {
  /**
   * `schemaBy: 'check'` is for running services: a schema that is not exactly that of this version stops the start.
   * `'synchronize'` makes the tables of just these entities, for tests and throw-away databases.
   */
  static of(url: string, ofFeatures: readonly Entity[], schemaBy: SchemaBy = 'synchronize'): DynamicModule {
    const entities = [...databaseEntities, ...ofFeatures];
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
