import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Injectable } from '@nestjs/common';
import ipaddr from 'ipaddr.js';
import { HttpSettings, InferenceSettings, ProviderSettings } from '#config';
import { providers } from '../providers/index.js';

/** Where services of the operator's fetch files from, and which addresses they come from. */
@Injectable()
export class DownloadReaders {
  /** Without a `/` at its end. */
  readonly baseUrl: string;
  /** Names and addresses of those services, and of this node: a service beside it may come from the address that it was given. */
  private readonly hosts: readonly string[];

  constructor(
    { downloadBaseUrl, downloadReaders }: InferenceSettings,
    { host, port }: HttpSettings,
    { options }: ProviderSettings,
  ) {
    this.baseUrl = downloadBaseUrl?.replace(/\/+$/, '') ?? `http://${ownName(host)}:${port}`;
    const services = providers.filter(({ name, fetchesFiles }) => fetchesFiles && options.has(name));
    const urls = services.flatMap((service) => service.ownUrls?.(options.get(service.name)) ?? []);
    this.hosts = urls.length === 0 ? [] : [...[...urls, this.baseUrl].map(hostOf), ...downloadReaders];
  }

  /** Names are looked up each time: services move. */
  async admit(address: string): Promise<boolean> {
    const known = await Promise.all([...new Set(this.hosts)].map(addressesOf));
    return known.flat().includes(plain(address));
  }
}

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');

async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [plain(host)];
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => plain(address));
}

/** One spelling for each address. */
const plain = (address: string): string => (ipaddr.isValid(address) ? ipaddr.process(address).toString() : address);

/** What listens everywhere is reached on this machine. */
function ownName(listenHost: string): string {
  if (listenHost === '0.0.0.0') return '127.0.0.1';
  if (listenHost === '::') return '[::1]';
  return listenHost.includes(':') ? `[${listenHost}]` : listenHost;
}
