import { Injectable } from '@nestjs/common';
import { Chain } from '#chain';
import { NetworkSettings, PurchaseSettings } from '#config';
import { inParallel, Checking, faultsOf, pricePerCredit, Refusal, type CreditPackPurchaseRequestResponse } from '#protocol';
import { MarketPrice } from '../market/market-price.js';
import { requestSignatureOf } from '../peers/agreement.rules.js';
import {
  burnMissing,
  burnWindow,
  isPriceKnown,
  paymentFaults,
  plannedTicketFaults,
  priceFaults,
  soldBy,
  ticketFaults,
  type OfferFacts,
  type SoldPack,
  type TicketParts,
} from './ticket.rules.js';
import { TicketSupernodes } from './ticket-supernodes.service.js';

/** Calls in flight at the same time for one piece of work. */
const CALLS_MAX = 8;

/** `restsOnHeight`: the highest block that decided it, where that may be above the ticket. */
export type TicketVerdict =
  | { readonly verdict: 'valid'; readonly sold: SoldPack; readonly restsOnHeight: number; readonly judgedAtHeight: number }
  | {
      readonly verdict: 'invalid';
      readonly reasons: readonly string[];
      readonly restsOnHeight?: number;
      readonly judgedAtHeight: number;
    }
  /** The burn may still be mined in time, or it is not known what a credit costs. */
  | { readonly verdict: 'undecided'; readonly reason: string; readonly judgedAtHeight: number };

/**
 * Judges tickets by what the chain says (credit-packs spec 5.11): fetches the facts, leaves the judgement to ticket.rules.ts.
 * Nothing is cached, so an error passes with its cause. Throws ChainUnavailable where the chain does not answer.
 */
@Injectable()
export class TicketValidation {
  constructor(
    private readonly chain: Chain,
    private readonly checking: Checking,
    private readonly supernodes: TicketSupernodes,
    private readonly market: MarketPrice,
    private readonly network: NetworkSettings,
    private readonly settings: PurchaseSettings,
  ) {}

  /** Before an offer is made: why a node might call the ticket bad that comes of it, the strictest shares in force included. */
  async plannedFaults(response: CreditPackPurchaseRequestResponse): Promise<string[]> {
    const majority = Math.max(this.settings.majority, this.settings.majorityOfAsked);
    return plannedTicketFaults(response, await this.factsOf(response), { ...this.settings, majority });
  }

  /** @param height of the ticket; the tip for one that is not registered yet */
  async judge(ticket: TicketParts, height: number): Promise<TicketVerdict> {
    const { response, confirmation } = ticket;
    const judgedAtHeight = await this.chain.height();
    const facts = { ...(await this.factsOf(response)), confirmationFaults: await faultsOf(confirmation, this.checking), height };
    const sold = soldBy(response);
    const faults = ticketFaults(ticket, facts, this.settings);
    if (faults.length > 0 || typeof sold === 'string') return { verdict: 'invalid', reasons: faults, judgedAtHeight };

    const burn = await this.chain.transaction(confirmation.txid_of_credit_purchase_burn_transaction);
    if (!burn?.mined) {
      const reason = burnMissing(response, this.settings);
      const restsOnHeight = burnWindow(response, this.settings)[1];
      return judgedAtHeight <= restsOnHeight
        ? { verdict: 'undecided', reason, judgedAtHeight }
        : { verdict: 'invalid', reasons: [reason], restsOnHeight, judgedAtHeight };
    }
    const reasons = paymentFaults(response, burn, this.network.network.burnAddress, this.settings);
    if (isPriceKnown(height, judgedAtHeight)) {
      const own = await this.ownPrice();
      if (own === undefined) return { verdict: 'undecided', reason: 'The price of a credit is not known now', judgedAtHeight };
      reasons.push(...priceFaults(response, own));
    }
    const restsOnHeight = burn.mined.height;
    if (reasons.length > 0) return { verdict: 'invalid', reasons, restsOnHeight, judgedAtHeight };
    return { verdict: 'valid', sold, restsOnHeight, judgedAtHeight };
  }

  private async ownPrice(): Promise<number | undefined> {
    const { targetUsdPerCredit, targetProfitMargin } = this.settings;
    try {
      return pricePerCredit(await this.market.usdPerPsl(), targetUsdPerCredit, targetProfitMargin);
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  private async factsOf(response: CreditPackPurchaseRequestResponse): Promise<OfferFacts> {
    return {
      sealFaults: await faultsOf(response, this.checking),
      requestSigners: await this.requestSignersOf(response),
      supernodes: await this.supernodes.among(
        [
          response.responding_supernode_pastelid,
          ...response.list_of_potentially_agreeing_supernodes,
          ...response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms,
        ],
        response.request_response_pastel_block_height,
      ),
      merkleRoot: (await this.chain.block(response.best_block_height))?.merkleRoot,
    };
  }

  /** Ten at most can be good; a longer list is refused by the selection anyway. */
  private async requestSignersOf(response: CreditPackPurchaseRequestResponse): Promise<Set<string>> {
    const selected = response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion;
    const good = await inParallel(selected.slice(0, SIGNATURES_CHECKED_MAX), CALLS_MAX, async (pastelId) => {
      const signature = requestSignatureOf(response, pastelId);
      if (signature === undefined) return undefined;
      return (await this.checking.verify(pastelId, response.credit_pack_purchase_request_fields_json_b64, signature))
        ? pastelId
        : undefined;
    });
    return new Set(good.filter((pastelId) => pastelId !== undefined));
  }
}
const SIGNATURES_CHECKED_MAX = 32;
