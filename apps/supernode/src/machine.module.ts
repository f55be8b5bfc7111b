import { Global, Module, type DynamicModule } from '@nestjs/common';
import { SystemClock, SystemEntropy } from '#config';
import { StoredSteps } from '#database';
import { Checking, Clock, Entropy, pooledChecking } from '#protocol';

/** What a node takes from its machine; tests and simulations bring their own. */
export interface Machine {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly checking: Checking;
  /** Is told of everything that is stored; for programs that test what a crash leaves behind. */
  readonly steps?: StoredSteps;
}

export const systemMachine = (): Machine => ({
  clock: new SystemClock(),
  entropy: new SystemEntropy(),
  checking: pooledChecking,
});

@Global()
@Module({})
export class MachineModule {
  static of({ clock, entropy, checking, steps = new StoredSteps() }: Machine): DynamicModule {
    const providers = [
      { provide: Clock, useValue: clock },
      { provide: Entropy, useValue: entropy },
      { provide: Checking, useValue: checking },
      { provide: StoredSteps, useValue: steps },
    ];
    return { module: MachineModule, providers, exports: [Clock, Entropy, Checking, StoredSteps] };
  }
}
