import { Injectable } from '@nestjs/common';
import { Chain } from '#chain';
import { NetworkSettings, PurchaseSettings } from '#config';
import { composeTicket, patoshisFromPsl, pythonRound } from '#protocol';
import type { CreditPackPurchaseRequestConfirmation, CreditPackPurchaseRequestResponse } from '#protocol';
import { burnedPatoshisOf, judgePayment, type PaymentVerdict } from './payment.rules.js';
import { PurchaseRepository } from './purchase.repository.js';
import { RegisteredTickets } from './registered-tickets.js';

/** Judges the burn that a buyer names, with what the chain and this node know of it (credit-packs spec 5.6). Throws ChainUnavailable. */
@Injectable()
export class PaymentService {
  constructor(
    private readonly chain: Chain,
    private readonly purchases: PurchaseRepository,
    private readonly tickets: RegisteredTickets,
    private readonly settings: PurchaseSettings,
    private readonly network: NetworkSettings,
  ) {}

  async judge(
    response: CreditPackPurchaseRequestResponse,
    confirmation: CreditPackPurchaseRequestConfirmation,
  ): Promise<PaymentVerdict> {
    const txid = confirmation.txid_of_credit_purchase_burn_transaction;
    const { burnAddress } = this.network.network;
    const tip = await this.chain.height();
    const transaction = await this.chain.transaction(txid);
    const requestHash = response.sha3_256_hash_of_credit_pack_purchase_request_fields;
    const offerHeight = response.request_response_pastel_block_height;
    const offer = {
      totalPatoshis: patoshisFromPsl(pythonRound(response.proposed_total_cost_of_credit_pack_in_psl.value, 5)) ?? Infinity,
      offerHeight,
      lastBurnHeight: offerHeight + this.settings.burnWindowBlocks,
      trackingAddress: response.credit_usage_tracking_psl_address,
    };
    const burned = transaction ? burnedPatoshisOf(transaction, burnAddress) : 0;
    const named = transaction && (await this.tickets.ticketNamingBurn(txid));
    const isAnother = named !== undefined && named.key !== composeTicket(response, confirmation).fullyParsedHash;
    return judgePayment(
      transaction,
      offer,
      {
        burnAddress,
        confirmations: this.settings.burnConfirmations,
        overpaidConfirmations: this.settings.overpaidBurnConfirmations,
      },
      {
        tip,
        namedByTicket: isAnother && named.isDecided,
        mayBeNamedByTicket: isAnother,
        isTotalOfAnotherOffer: burned > offer.totalPatoshis && (await this.purchases.isTotalOfAnother(burned, requestHash)),
      },
    );
  }
}
