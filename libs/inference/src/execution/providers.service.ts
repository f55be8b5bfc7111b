import { Injectable } from '@nestjs/common';
import type { AxiosInstance } from 'axios';
import { ProviderSettings, Secrets } from '#config';
import { Clock } from '#protocol';
import { ProviderFailure, providers, type Provider, type Surroundings } from '../providers/index.js';
import { Downloads } from './downloads.service.js';
import { Outgoing } from './outgoing/outgoing.service.js';

/** The providers that are set up, and what each may touch of the outside. */
@Injectable()
export class Providers {
  readonly all: readonly Provider[];
  private readonly clients: ReadonlyMap<string, AxiosInstance>;

  constructor(
    private readonly setUps: ProviderSettings,
    private readonly clock: Clock,
    private readonly downloads: Downloads,
    outgoing: Outgoing,
    private readonly secrets: Secrets,
  ) {
    this.all = providers.filter(({ name }) => setUps.options.has(name));
    this.clients = new Map(
      this.all.map((provider) => [
        provider.name,
        outgoing.client({ ownUrls: provider.ownUrls?.(setUps.options.get(provider.name)) ?? [] }),
      ]),
    );
  }

  byName(name: string): Provider | undefined {
    return this.all.find((provider) => provider.name === name);
  }

  surroundingsOf({ name }: Provider, signal: AbortSignal): Surroundings {
    return {
      http: this.clients.get(name)!,
      options: this.setUps.options.get(name),
      clock: this.clock,
      files: this.downloads,
      signal,
    };
  }

  /** Fit to be stored and shown: without a key, should a provider have let one slip in. */
  fit({ code, message, retryable, retryAfterMs }: ProviderFailure): ProviderFailure {
    return new ProviderFailure(code, this.secrets.strike(message), retryable, retryAfterMs);
  }
}
