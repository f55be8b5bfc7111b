import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { MenuSettings } from '#config';
import { Checking, Clock, Entropy } from '#protocol';
import type { AxiosInstance } from 'axios';
import { Outgoing } from '../execution/outgoing/outgoing.service.js';
import { providers, type Model } from '../providers/index.js';
import { bundledMenuText } from './bundled-menu.js';
import type { MenuFile } from './menu-file.js';
import { MENU_BYTES_MAX, parseMenu } from './menu-file.rules.js';
import { modelsOf } from './menu-models.rules.js';
import { acceptedMenu, type MenuCandidate } from './menu-source.rules.js';
import { MenuStore } from './menu-store.js';

const SIGNATURE_BYTES_MAX = 4096;
const FETCH_TIMEOUT_MS = 30_000;
const RETRY_MS = 300_000;

/**
 * The menu in use (inference spec 8 W16):
 * 1. The one that came with the program is checked when the node starts; a bad one ends the start.
 * 2. The last good one from elsewhere, if there is any, is checked again and takes its place.
 * 3. Where an address is set, it is fetched on a timer, with jitter. One that is too long, cut, not vouched for, faulty or older changes nothing.
 * Prices of requests that are quoted stay as they were quoted.
 */
@Injectable()
export class ModelMenu implements OnModuleInit {
  private readonly logger = new Logger(ModelMenu.name);
  private readonly store: MenuStore;
  private readonly http: AxiosInstance | undefined;
  private current: MenuFile;
  private dueAtMs = 0;
  private refreshing: Promise<void> | undefined;

  constructor(
    private readonly settings: MenuSettings,
    outgoing: Outgoing,
    private readonly checking: Checking,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {
    this.current = parseMenu(bundledMenuText(), providers);
    this.store = new MenuStore(settings.directory);
    this.http = settings.url === undefined ? undefined : outgoing.client({ ownUrls: [settings.url] });
  }

  async onModuleInit(): Promise<void> {
    const kept = this.settings.url === undefined ? undefined : await this.store.read();
    if (kept) await this.consider(kept, 'The kept model menu');
  }

  get version(): number {
    return this.current.version;
  }
  /** Today's models of a provider. */
  modelsOf(provider: string): Model[] {
    return modelsOf(this.current, provider, this.clock.now().toISOString().slice(0, 10));
  }

  /** Fetches the menu if it is due; one at a time. Never throws. */
  sweep(): Promise<void> {
    if (this.http === undefined || this.clock.monotonicMs() < this.dueAtMs) return Promise.resolve();
    return (this.refreshing ??= this.refresh(this.http, this.settings.url!).finally(() => (this.refreshing = undefined)));
  }

  private async refresh(http: AxiosInstance, url: string): Promise<void> {
    const isGood = await this.fetched(http, url).then(
      (candidate) => this.consider(candidate, 'The fetched model menu'),
      (error: unknown) => this.warn('The model menu cannot be fetched', error),
    );
    const waitMs = isGood ? this.settings.refreshMs : Math.min(RETRY_MS, this.settings.refreshMs);
    const jitterMs = Math.floor(waitMs / 10);
    this.dueAtMs = this.clock.monotonicMs() + waitMs - jitterMs + this.entropy.below(2 * jitterMs + 1);
  }

  private async fetched(http: AxiosInstance, url: string): Promise<MenuCandidate> {
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    const get = async (address: string, maxContentLength: number): Promise<Buffer> =>
      Buffer.from((await http.get<ArrayBuffer>(address, { responseType: 'arraybuffer', maxContentLength, signal })).data);
    const body = await get(url, MENU_BYTES_MAX);
    const signature =
      this.settings.signer === undefined ? undefined : (await get(signatureUrl(url), SIGNATURE_BYTES_MAX)).toString();
    return { body, signature };
  }

  /** Whether the candidate is in use now. */
  private async consider(candidate: MenuCandidate, what: string): Promise<boolean> {
    try {
      const { settings: trust, checking, current } = this;
      const menu = await acceptedMenu(candidate, { current, trust, checking, providers });
      if (menu.version === current.version) return true;
      this.current = menu;
      this.logger.log(`${what} is used: version ${menu.version} of ${menu.published}, ${menu.models.length} models`);
      await this.store.write(candidate).catch((error: unknown) => this.warn('The model menu cannot be kept', error));
      return true;
    } catch (error) {
      return this.warn(`${what} is not used`, error);
    }
  }

  private warn(what: string, error: unknown): false {
    this.logger.warn(`${what}: ${(error as Error).message}`);
    return false;
  }
}

/** `.sig` at the end of the path; a query stays behind it. */
function signatureUrl(url: string): string {
  const parsed = new URL(url);
  parsed.pathname += '.sig';
  return parsed.href;
}
