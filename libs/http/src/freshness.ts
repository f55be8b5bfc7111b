import { Injectable } from '@nestjs/common';
import { Chain } from '#chain';
import { FreshnessSettings } from '#config';
import { Clock, freshnessFaults } from '#protocol';

const HEIGHT_MAX_AGE_MS = 1000;

/** Whether a message was made just now: rules 1 and 2 of credit-packs spec 4.1. */
@Injectable()
export class Freshness {
  private latest: { readonly height: Promise<number>; readonly askedAtMs: number } | undefined;

  constructor(
    private readonly chain: Chain,
    private readonly clock: Clock,
    private readonly settings: FreshnessSettings,
  ) {}

  /** Every fault of its time stamps and block heights; none when it is fresh. Throws ChainUnavailable. */
  async faultsOf(message: object): Promise<string[]> {
    const height = await this.height();
    return freshnessFaults(message, {
      now: this.clock.now(),
      height,
      timestampSecondsMax: this.settings.timestampSecondsMax,
      blocksMax: this.settings.blocksMax,
    });
  }

  /** At most a second old; calls that come together ask the chain once. */
  private height(): Promise<number> {
    const askedAtMs = this.clock.monotonicMs();
    const age = this.latest === undefined ? Infinity : askedAtMs - this.latest.askedAtMs;
    if (this.latest !== undefined && age < HEIGHT_MAX_AGE_MS) return this.latest.height;
    const height = this.chain.height();
    const asked = { height, askedAtMs };
    this.latest = asked;
    height.catch(() => {
      if (this.latest === asked) this.latest = undefined;
    });
    return height;
  }
}
