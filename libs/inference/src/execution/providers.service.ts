import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Injectable } from '@nestjs/common';
import axios from 'axios';
import { InferenceSettings, ProviderSettings } from '#config';
import { Clock } from '#protocol';
import { providers, type Provider, type Surroundings } from '../providers/index.js';
import { RESULT_BYTES_MAX } from './result.rules.js';

const SOCKETS_MAX = 64;

/** The providers that are set up, and what each may touch of the outside. */
@Injectable()
export class Providers {
  readonly all: readonly Provider[];
  private readonly http;

  constructor(
    settings: InferenceSettings,
    private readonly setUps: ProviderSettings,
    private readonly clock: Clock,
  ) {
    this.all = providers.filter(({ name }) => setUps.options.has(name));
    this.http = axios.create({
      timeout: settings.executionSecondsMax * 1000,
      maxContentLength: RESULT_BYTES_MAX,
      maxBodyLength: RESULT_BYTES_MAX * 2,
      maxRedirects: 0,
      proxy: false,
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS_MAX }),
    });
  }

  byName(name: string): Provider | undefined {
    return this.all.find((provider) => provider.name === name);
  }

  surroundingsOf(provider: Provider, signal: AbortSignal): Surroundings {
    return { http: this.http, options: this.setUps.options.get(provider.name), clock: this.clock, signal };
  }
}
