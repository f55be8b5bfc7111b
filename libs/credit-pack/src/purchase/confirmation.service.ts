import { Injectable } from '@nestjs/common';
import { Freshness } from '#http';
import {
  Refusal,
  type CreditPackPurchaseRequestConfirmation,
  type CreditPackPurchaseRequestConfirmationResponse,
} from '#protocol';
import { confirmationFaults } from '../peers/announcement.rules.js';
import { PaymentService } from './payment.service.js';
import type { Purchase } from './purchase.entity.js';
import { PurchaseMessages } from './purchase-messages.js';
import { maySucceed } from './purchase-state.rules.js';
import { PurchaseRepository } from './purchase.repository.js';
import { SettlementService } from './settlement.service.js';
import { Waiting } from './waiting.service.js';

type Confirmation = CreditPackPurchaseRequestConfirmation;

/**
 * The buyer names the burn (credit-packs spec 5.6).
 * 1. The same confirmation again waits for the same answer, or gets it.
 * 2. It has to belong to the offer, and to be made now.
 * 3. A burn that can never pay the offer is refused, and nothing is stored: another one may be named.
 * 4. The claim is stored; from here on the purchase goes on by itself.
 * 5. The call is held until the ticket is mined, or the burn window is over without the burn.
 */
@Injectable()
export class ConfirmationService {
  constructor(
    private readonly purchases: PurchaseRepository,
    private readonly messages: PurchaseMessages,
    private readonly freshness: Freshness,
    private readonly payment: PaymentService,
    private readonly settlement: SettlementService,
    private readonly waiting: Waiting,
  ) {}

  async confirm(confirmation: Confirmation): Promise<CreditPackPurchaseRequestConfirmationResponse> {
    const requestHash = confirmation.sha3_256_hash_of_credit_pack_purchase_request_fields;
    const purchase = await this.purchases.find(requestHash);
    if (!purchase?.response) throw new Refusal('not-found', 'No offer was made for this purchase request');
    if (!isSame(purchase.confirmation, confirmation)) await this.claim(purchase, confirmation);
    return this.waiting.until(hashOf(confirmation), async () => {
      const advanced = await this.settlement.advance(requestHash);
      if (!isSame(advanced?.confirmation, confirmation)) throw alreadyConfirmed();
      return advanced?.confirmationResponse ?? undefined;
    });
  }

  private async claim(purchase: Purchase, confirmation: Confirmation): Promise<void> {
    if (!maySucceed(purchase.state, 'claimed')) throw alreadyConfirmed();
    const faults = [
      ...confirmationFaults(confirmation, purchase.response!, purchase.pastelId),
      ...(await this.freshness.faultsOf(confirmation)),
    ];
    if (faults.length > 0) throw new Refusal('bad-request', `Invalid confirmation: ${faults.join(', ')}`);
    const verdict = await this.payment.judge(purchase.response!, confirmation);
    if (verdict.verdict === 'refused') throw new Refusal('bad-request', verdict.reason);
    const touchedAt = this.messages.now.getTime();
    // Another burn makes another ticket.
    const forgotten = { confirmationResponse: null, burnTxid: null, ticketKey: null, registrationTxid: null, trouble: null };
    const changes = { ...forgotten, confirmation, touchedAt };
    if ((await this.purchases.move(purchase, 'claimed', changes)) === 'moved') return;
    const stored = await this.purchases.find(purchase.requestHash);
    if (isSame(stored?.confirmation, confirmation)) return;
    // A sweep has seen meanwhile that the burn window is over; a burn that was mined in it counts all the same.
    const isOverdue = stored?.state === 'overdue' && (await this.purchases.move(stored, 'claimed', changes)) === 'moved';
    if (!isOverdue) throw alreadyConfirmed();
  }
}

const hashOf = (confirmation: Confirmation): string =>
  confirmation.sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields;
const isSame = (known: Confirmation | null | undefined, confirmation: Confirmation): boolean =>
  known != null && hashOf(known) === hashOf(confirmation);
const alreadyConfirmed = (): Refusal => new Refusal('conflict', 'The purchase has been confirmed with another message already');
