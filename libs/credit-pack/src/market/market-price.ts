import { Injectable, Logger } from '@nestjs/common';
import axios from 'axios';
import { PurchaseSettings } from '#config';
import { Clock, Refusal } from '#protocol';
import { SingleFlight } from '../single-flight.js';

/** What a PSL is worth. Throws a {@link Refusal} where nobody knows. */
export abstract class MarketPrice {
  abstract usdPerPsl(): Promise<number>;
}

/** Where the market is asked (credit-packs spec 6). */
export class MarketPages {
  readonly coinMarketCap: string = 'https://coinmarketcap.com/currencies/pastel/';
  readonly coinGecko: string = 'https://api.coingecko.com/api/v3/simple/price?ids=pastel&vs_currencies=usd';
}

/** Outside of these, both excluded, it is no price of PSL. */
const USD_MIN = 1e-7;
const USD_MAX = 0.02;
const REQUEST_TIMEOUT_MS = 5000;
const PAUSE_MS = 2000;
const ATTEMPTS = 2;
const PAGE_BYTES_MAX = 8 * 2 ** 20;
/** How long the last known price stands in while the market does not answer. */
const LAST_GOOD_MAX_AGE_MS = 6 * 3_600_000;
/** Pause after a failure, so that every quote does not ask again. */
const FAILURE_PAUSE_MS = 30_000;

/** `price today is $0.000123 USD` on CoinMarketCap's page. */
export function priceOnPage(page: string): number | undefined {
  const [, digits] = /price today is \$([\d.]{1,40}) USD/.exec(page) ?? [];
  return plausible(Number(digits));
}
/** `{"pastel":{"usd":0.000123}}` */
export function priceInJson(text: string): number | undefined {
  try {
    return plausible((JSON.parse(text) as { pastel?: { usd?: unknown } } | null)?.pastel?.usd);
  } catch {
    return undefined;
  }
}
const plausible = (price: unknown): number | undefined =>
  typeof price === 'number' && price > USD_MIN && price < USD_MAX ? price : undefined;

/** The fixed price of the settings, else the mean of what the two pages say; kept for a while. */
@Injectable()
export class AskedMarketPrice extends MarketPrice {
  private readonly logger = new Logger(AskedMarketPrice.name);
  private readonly flights = new SingleFlight<number>();
  private lastGood: { readonly price: number; readonly at: number } | undefined;
  private failedAt = -Infinity;

  constructor(
    private readonly settings: PurchaseSettings,
    private readonly clock: Clock,
    private readonly pages: MarketPages,
  ) {
    super();
  }

  async usdPerPsl(): Promise<number> {
    if (this.settings.fixedUsdPerPsl !== undefined) return this.settings.fixedUsdPerPsl;
    const age = this.clock.monotonicMs() - (this.lastGood?.at ?? -Infinity);
    if (this.lastGood && age <= this.settings.priceMaxAgeMs) return this.lastGood.price;
    return this.flights.run('price', () => this.renewed());
  }

  private async renewed(): Promise<number> {
    const price = this.clock.monotonicMs() - this.failedAt < FAILURE_PAUSE_MS ? undefined : await this.asked();
    const at = this.clock.monotonicMs();
    if (price !== undefined) {
      this.lastGood = { price, at };
      return price;
    }
    if (this.lastGood && at - this.lastGood.at <= LAST_GOOD_MAX_AGE_MS) return this.lastGood.price;
    throw new Refusal('unavailable', 'The market price of PSL is not known at the moment; try again later');
  }

  private async asked(): Promise<number | undefined> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (attempt > 1) await this.clock.wait(PAUSE_MS);
      const answers = await Promise.all([
        this.page(this.pages.coinMarketCap).then((page) => (page === undefined ? undefined : priceOnPage(page))),
        this.page(this.pages.coinGecko).then((page) => (page === undefined ? undefined : priceInJson(page))),
      ]);
      const prices = answers.filter((price) => price !== undefined);
      if (prices.length > 0) return prices.reduce((sum, price) => sum + price, 0) / prices.length;
    }
    this.failedAt = this.clock.monotonicMs();
    this.logger.warn('Neither CoinMarketCap nor CoinGecko gave a price of PSL');
    return undefined;
  }

  private async page(url: string): Promise<string | undefined> {
    try {
      const { data } = await axios.get<string>(url, {
        responseType: 'text',
        transformResponse: [(text: unknown) => text],
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        maxContentLength: PAGE_BYTES_MAX,
        maxRedirects: 3,
        validateStatus: (status) => status === 200,
      });
      return data;
    } catch (error) {
      this.logger.debug(`No price from ${new URL(url).host}: ${(error as Error).message}`);
      return undefined;
    }
  }
}
