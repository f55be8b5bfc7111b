import { Injectable } from '@nestjs/common';
import { InferenceSettings } from '#config';
import { Clock } from '#protocol';
import { ProviderHealth } from '../menu/provider-health.service.js';
import type { Provider, ProviderFailure } from '../providers/index.js';
import { admission, afterFailure, CLOSED, probeAbandoned, probing, type Circuit } from './circuit-breaker.rules.js';
import { Providers } from './providers.service.js';

/**
 * How many requests each provider has at a time, and whether it gets any: a circuit breaker for each. Known to this process alone; another
 * one of the same node finds out for itself.
 */
@Injectable()
export class ProviderGate {
  private readonly running = new Map<string, number>();
  private readonly circuits = new Map<string, Circuit>();
  constructor(
    private readonly providers: Providers,
    private readonly health: ProviderHealth,
    private readonly clock: Clock,
    private readonly settings: InferenceSettings,
  ) {}

  /** Requests that may be started, over all providers. */
  get room(): number {
    return this.settings.executionsMax - [...this.running.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Those that take no request now. */
  closed(): string[] {
    return this.providers.all.map(({ name }) => name).filter((name) => !this.admits(name));
  }

  /** Nothing may be sold that cannot be run soon: `true` while the circuit is open. */
  isBroken(provider: string): boolean {
    return this.circuit(provider).openUntilMs > this.nowMs;
  }

  /** `false` where it has to wait. Whoever was let in must {@link leave}. */
  enter(provider: string): boolean {
    if (!this.admits(provider)) return false;
    const circuit = this.circuit(provider);
    if (admission(circuit, this.nowMs) === 'probe') this.circuits.set(provider, probing(circuit));
    this.running.set(provider, this.count(provider) + 1);
    return true;
  }

  /** @param end how it went: with an answer, a failure, or broken off by ourselves */
  leave(provider: string, end: 'answered' | 'interrupted' | ProviderFailure): void {
    this.running.set(provider, Math.max(0, this.count(provider) - 1));
    const circuit = this.circuit(provider);
    if (end === 'answered') this.circuits.delete(provider);
    else if (end === 'interrupted') this.circuits.set(provider, probeAbandoned(circuit));
    else {
      this.circuits.set(provider, afterFailure(circuit, end, this.nowMs));
      this.health.reportFailure(provider, end);
    }
  }

  private admits(name: string): boolean {
    const provider = this.providers.byName(name);
    return this.count(name) < this.limitOf(provider) && admission(this.circuit(name), this.nowMs) !== 'closed';
  }
  private limitOf(provider: Provider | undefined): number {
    return Math.min(provider?.concurrencyMax ?? Infinity, this.settings.executionsMax);
  }
  private count(name: string): number {
    return this.running.get(name) ?? 0;
  }
  private circuit(name: string): Circuit {
    return this.circuits.get(name) ?? CLOSED;
  }
  private get nowMs(): number {
    return this.clock.monotonicMs();
  }
}
