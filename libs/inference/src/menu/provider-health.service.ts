import { Injectable, Logger } from '@nestjs/common';
import { Clock, Entropy } from '#protocol';
import { Providers } from '../execution/providers.service.js';
import { ProviderFailure, type Provider } from '../providers/index.js';
import {
  afterCheck,
  afterReport,
  isBelievedWell,
  isDue,
  isStale,
  jitterOf,
  type Health,
  type Jitter,
} from './provider-health.rules.js';

const CHECK_TIMEOUT_MS = 15_000;

export interface ProviderState extends Health {
  readonly name: string;
  readonly title: string;
}

/**
 * Which providers are there and take the node's key (inference spec 6.9): each is asked on a timer, with jitter, by a call that costs nothing; one
 * that failed is asked again soon, then less and less often. What is known lives in this process and ages.
 */
@Injectable()
export class ProviderHealth {
  private readonly logger = new Logger(ProviderHealth.name);
  /** One entry a provider that is set up. */
  private readonly known = new Map<string, Health>();
  private checking: Promise<void> | undefined;

  constructor(
    private readonly providers: Providers,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  isWell(name: string): boolean {
    return isBelievedWell(this.known.get(name), this.nowMs);
  }
  /** Absent where the provider was not asked yet. */
  of(name: string): Health | undefined {
    return this.known.get(name);
  }
  /** Of every provider that was asked. */
  states(): ProviderState[] {
    return this.providers.all.flatMap(({ name, title }) => {
      const health = this.known.get(name);
      return health ? [{ name, title, ...health, isWell: this.isWell(name) }] : [];
    });
  }

  /** What a request met with. */
  reportFailure(name: string, failure: ProviderFailure): void {
    const health = this.known.get(name);
    if (health) this.keep(name, afterReport(health, failure, this.nowMs, this.jitter));
  }

  /** Asks the providers that are due; one round at a time. */
  sweep(now: Date): Promise<void> {
    const due = this.providers.all.filter(({ name }) => isDue(this.known.get(name), now.getTime()));
    return this.check(due);
  }
  /** Every provider has an answer that counts afterwards. */
  async ready(): Promise<void> {
    const stale = this.providers.all.filter(({ name }) => isStale(this.known.get(name), this.nowMs));
    if (stale.length > 0) await this.check(stale);
  }

  private check(due: readonly Provider[]): Promise<void> {
    return (this.checking ??= Promise.all(due.map((provider) => this.checkOne(provider)))
      .then(() => undefined)
      .finally(() => (this.checking = undefined)));
  }
  private async checkOne(provider: Provider): Promise<void> {
    const trouble = await this.troubleOf(provider);
    this.keep(provider.name, afterCheck(this.known.get(provider.name), trouble, this.nowMs, this.jitter));
  }

  /** Bounded even where the provider does not listen to its signal. */
  private async troubleOf(provider: Provider): Promise<ProviderFailure | undefined> {
    const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
    let stop = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      stop = () => reject(new ProviderFailure('unavailable', 'The model service did not answer in time', true));
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      await Promise.race([provider.checkKey(this.providers.surroundingsOf(provider, signal)), late]);
      return undefined;
    } catch (error) {
      if (error instanceof ProviderFailure) return this.providers.fit(error);
      this.logger.error(error);
      return new ProviderFailure('unavailable', 'The check failed in a way that it should not', true);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private keep(name: string, health: Health): void {
    const before = this.known.get(name);
    this.known.set(name, health);
    if (!health.isWell && before?.isWell !== false) this.logger.warn(`${name} is left out of the menu: ${health.reason ?? ''}`);
    if (health.isWell && before?.isWell === false) this.logger.log(`${name} is well again`);
  }

  private readonly jitter: Jitter = (ms) => ms - jitterOf(ms) + this.entropy.below(2 * jitterOf(ms) + 1);
  private get nowMs(): number {
    return this.clock.now().getTime();
  }
}
