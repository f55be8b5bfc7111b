import { Injectable } from '@nestjs/common';
import axios, { type AxiosInstance } from 'axios';
import { InferenceSettings } from '#config';
import { RESULT_BYTES_MAX } from '../result.rules.js';
import { endpointOf } from './address.rules.js';
import { guardedAgents } from './guarded-agents.js';

export interface ClientOptions {
  /** Base URLs that the operator configured: their hosts may be private. */
  readonly ownUrls?: readonly string[];
  /** None by default. Those that are followed lead to https only. */
  readonly redirectsMax?: number;
}

/** The one way out to model services and to a menu elsewhere: bounded, and never into the node's own networks by accident. */
@Injectable()
export class Outgoing {
  constructor(private readonly settings: InferenceSettings) {}

  client({ ownUrls = [], redirectsMax = 0 }: ClientOptions = {}): AxiosInstance {
    const configured = this.settings.outgoingPrivateAddresses.map((address) => `http://${address}`);
    return axios.create({
      adapter: 'http',
      timeout: this.settings.executionSecondsMax * 1000,
      maxContentLength: RESULT_BYTES_MAX,
      maxBodyLength: RESULT_BYTES_MAX * 2,
      maxRedirects: redirectsMax,
      beforeRedirect: (options: { protocol?: string }) => {
        if (options.protocol !== 'https:') throw new Error('A redirect to something else than https is not followed');
      },
      proxy: false,
      ...guardedAgents(new Set([...ownUrls, ...configured].map(endpointOf))),
    });
  }
}
