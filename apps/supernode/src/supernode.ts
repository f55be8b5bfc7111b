import 'reflect-metadata';
import { Module, type DynamicModule, type LogLevel } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ScheduleModule } from '@nestjs/schedule';
import { SettingsModule, type Settings } from '#config';
import { CreditPackModule, creditPackEntities } from '#credit-pack';
import { databaseEntities, DatabaseModule, type Entity, type SchemaBy } from '#database';
import { createHttpApp, httpEntities, WireModule } from '#http';
import { InferenceModule, inferenceEntities } from '#inference';
import { LogsModule, WinstonLogger } from '#logs';
import { MessagingModule, messagingEntities } from '#messaging';
import { RatingsModule, reputationEntities, ReputationModule } from '#reputation';
import { RpcModule } from '#rpc';
import { MachineModule, systemMachine, type Machine } from './machine.module.js';

/** Every table of a supernode. */
export const entities: readonly Entity[] = [
  ...databaseEntities,
  ...httpEntities,
  ...messagingEntities,
  ...creditPackEntities,
  ...inferenceEntities,
  ...reputationEntities,
];

export interface SupernodeOptions {
  readonly settings: Settings;
  readonly machine?: Machine;
  /** Without them nothing happens by itself: whoever runs the node calls the sweeps. */
  readonly schedules?: boolean;
  /** `check` unless said otherwise: a database of another version stops the start. */
  readonly schemaBy?: SchemaBy;
  readonly logger?: WinstonLogger | LogLevel[] | false;
}

@Module({})
class SupernodeModule {
  /** The whole node, wired in the order of its dependencies. */
  static of(options: SupernodeOptions): DynamicModule {
    const { settings, machine = systemMachine(), schedules = true, schemaBy = 'check', logger } = options;
    return {
      module: SupernodeModule,
      imports: [
        SettingsModule.of(settings),
        MachineModule.of(machine),
        ...(schedules ? [ScheduleModule.forRoot()] : []),
        DatabaseModule.of(settings.database.url, entities, schemaBy),
        RpcModule,
        WireModule,
        MessagingModule,
        ReputationModule,
        CreditPackModule,
        InferenceModule,
        RatingsModule.provenBy(InferenceModule),
        LogsModule.of(logger instanceof WinstonLogger ? logger : undefined),
      ],
    };
  }
}

/** A supernode that is ready to listen. Throws what keeps it from working: settings, database, pasteld, passphrase. */
export function createSupernode(options: SupernodeOptions): Promise<NestExpressApplication> {
  return createHttpApp(SupernodeModule.of(options), options.settings.http, options.logger);
}
