import { Injectable } from '@nestjs/common';
import { NetworkSettings, PurchaseSettings } from '#config';
import {
  Entropy,
  isAddress,
  isFairPrice,
  pricePerCredit,
  Refusal,
  wholeCreditsOf,
  type CreditPackPurchaseRequest,
} from '#protocol';
import { MarketPrice } from '../market/market-price.js';
import { basePatoshisOf, requestFaults, surplusWidthOf } from './offer.rules.js';

/** What this node sells, and for how much. */
@Injectable()
export class OfferTerms {
  constructor(
    private readonly settings: PurchaseSettings,
    private readonly network: NetworkSettings,
    private readonly market: MarketPrice,
    private readonly entropy: Entropy,
  ) {}

  get offersMax(): number {
    return this.settings.openOffersPerPastelIdMax;
  }
  get offerLifeMs(): number {
    return this.settings.offerMinutes * 60_000;
  }

  faultsOf(request: CreditPackPurchaseRequest): string[] {
    const { credit_usage_tracking_psl_address: address } = request;
    const faults = requestFaults(request, this.settings);
    if (!this.isOwnableAddress(address))
      faults.push(
        `The specified credit tracking address of ${address} is no address of the ${this.network.network.name} network`,
      );
    return faults;
  }

  /** Whether this node finds a peer's price fair (credit-packs spec 5.4). */
  async isFair(proposed: number): Promise<boolean> {
    return isFairPrice(proposed, await this.pricePerCredit(), this.settings.priceDifferenceMax);
  }
  /** PSL, one decimal (credit-packs spec 6). */
  async pricePerCredit(): Promise<number> {
    const { targetUsdPerCredit, targetProfitMargin } = this.settings;
    const price = pricePerCredit(await this.market.usdPerPsl(), targetUsdPerCredit, targetProfitMargin);
    if (!(price > 0 && Number.isFinite(price))) throw new Refusal('unavailable', 'A credit has no price at the moment');
    return price;
  }

  /** A total with a surplus that nobody can guess, so that a burn of it belongs to one purchase. Undefined where nobody could pay it. */
  totalPatoshisOf(request: CreditPackPurchaseRequest, pricePerCredit: number): number | undefined {
    const credits = wholeCreditsOf(request);
    const base = credits === undefined ? undefined : basePatoshisOf(credits, pricePerCredit);
    return base === undefined ? undefined : base + this.entropy.below(surplusWidthOf(base));
  }

  private isOwnableAddress(address: string): boolean {
    const { name, burnAddress } = this.network.network;
    return address !== burnAddress && isAddress(name, address);
  }
}
