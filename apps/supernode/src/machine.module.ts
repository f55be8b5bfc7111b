import { Global, Module, type DynamicModule } from '@nestjs/common';
import { SystemClock, SystemEntropy } from '#config';
import { Checking, Clock, Entropy, pooledChecking } from '#protocol';

/** What a node takes from its machine; tests and simulations bring their own. */
export interface Machine {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly checking: Checking;
}

export const systemMachine = (): Machine => ({
  clock: new SystemClock(),
  entropy: new SystemEntropy(),
  checking: pooledChecking,
});

@Global()
@Module({})
export class MachineModule {
  static of({ clock, entropy, checking }: Machine): DynamicModule {
    const providers = [
      { provide: Clock, useValue: clock },
      { provide: Entropy, useValue: entropy },
      { provide: Checking, useValue: checking },
    ];
    return { module: MachineModule, providers, exports: [Clock, Entropy, Checking] };
  }
}
