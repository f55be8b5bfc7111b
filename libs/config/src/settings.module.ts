import { Global, Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { Secrets } from './secrets/secrets.js';
import * as slices from './slices.js';

/** Offers each slice of the settings under its own class. */
@Global()
@Module({})
export class SettingsModule {
  static of(settings: slices.Settings): DynamicModule {
    const provided = [
      [slices.NetworkSettings, settings.network],
      [slices.RpcSettings, settings.rpc],
      [slices.IdentitySettings, settings.identity],
      [slices.HttpSettings, settings.http],
      [slices.DatabaseSettings, settings.database],
      [slices.PeerSettings, settings.peers],
      [slices.FreshnessSettings, settings.freshness],
      [slices.PurchaseSettings, settings.purchase],
      [slices.InferenceSettings, settings.inference],
      [slices.MenuSettings, settings.menu],
      [slices.ProviderSettings, settings.providers],
      [slices.MessagingSettings, settings.messaging],
      [slices.LogSettings, settings.log],
      [Secrets, new Secrets(settings.secrets)],
    ] as const;
    const providers = provided.map(([provide, useValue]) => ({ provide, useValue }));
    return {
      module: SettingsModule,
      imports: [ConfigModule.forRoot({ ignoreEnvFile: true, ignoreEnvVars: true, load: [() => ({ ...settings })] })],
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}
