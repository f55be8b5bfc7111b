import 'reflect-metadata';
import { Module, type DynamicModule, type LoggerService, type LogLevel } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ScheduleModule } from '@nestjs/schedule';
import { SettingsModule, type Settings } from '#config';
import { CreditPackModule, creditPackEntities } from '#credit-pack';
import { DatabaseModule, type Entity, type SchemaBy } from '#database';
import { createHttpApp, httpEntities, WireModule } from '#http';
import { InferenceModule, inferenceEntities } from '#inference';
import { MessagingModule, messagingEntities } from '#messaging';
import { ReputationModule } from '#reputation';
import { RpcModule } from '#rpc';
import { MachineModule, systemMachine, type Machine } from './machine.module.js';

/** Every table of a supernode. */
export const entities: readonly Entity[] = [...httpEntities, ...messagingEntities, ...creditPackEntities, ...inferenceEntities];

export interface SupernodeOptions {
  readonly settings: Settings;
  readonly machine?: Machine;
  /** Without them nothing happens by itself: whoever runs the node calls the sweeps. */
  readonly schedules?: boolean;
  /** `synchronize` makes the tables of the entities as they are; for throw-away databases. */
  readonly schemaBy?: SchemaBy;
  readonly logger?: LoggerService | LogLevel[] | false;
}

@Module({})
export class SupernodeModule {
  /** The whole node, wired in the order of its dependencies. */
  static of({ settings, machine = systemMachine(), schedules = true, schemaBy = 'migrations' }: SupernodeOptions): DynamicModule {
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
      ],
    };
  }
}

/** A supernode that is ready to listen. Throws what keeps it from working: settings, database, pasteld, passphrase. */
export async function createSupernode(options: SupernodeOptions): Promise<NestExpressApplication> {
  const app = await createHttpApp(SupernodeModule.of(options), options.settings.http, options.logger);
  app.enableShutdownHooks();
  return app;
}
