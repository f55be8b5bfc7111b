import { Injectable, Logger } from '@nestjs/common';
import { composeTicket } from '#protocol';
import { Outbox } from './outbox.service.js';
import type { PaymentVerdict } from './payment.rules.js';
import { PaymentService } from './payment.service.js';
import type { Purchase } from './purchase.entity.js';
import { PurchaseMessages, type Outcome } from './purchase-messages.js';
import { PurchaseRepository } from './purchase.repository.js';
import { RegistrationService } from './registration.service.js';
import { SingleFlight } from '../single-flight.js';

/** The one reason of 2.10 that the original gives (credit-packs spec 2.10). */
export const NOT_CONFIRMED = 'Burn transaction not confirmed within the required number of blocks';
/** Registering is not tried again sooner after a refusal. */
const PAUSE_MS = 10_000;
/** A ticket that could not be written for so long never will be; the buyer may name another burn then. */
const GIVEN_UP_AFTER_MS = 3 * 86_400_000;
/** Steps that one call may take; no purchase has more ahead of it. */
const STEPS_MAX = 4;

/**
 * From a claimed burn to a ticket on the chain. Each step is stored before the next begins, so any node start, sweep or repeated
 * message goes on where it ended.
 * 1. claimed: the burn is judged; a good one is this purchase's alone from here on.
 * 2. burn-confirmed: the ticket is judged as others will, and the intent to register it is stored.
 * 3. registering: it is registered, or found there already, until it is mined.
 * 4. completed or failed: the answer is stored with the announcements that it owes.
 */
@Injectable()
export class SettlementService {
  private readonly logger = new Logger(SettlementService.name);
  private readonly flights = new SingleFlight<Purchase | null>();

  constructor(
    private readonly purchases: PurchaseRepository,
    private readonly messages: PurchaseMessages,
    private readonly payment: PaymentService,
    private readonly registration: RegistrationService,
    private readonly outbox: Outbox,
  ) {}

  /** As far as it goes now; gives the purchase as it is then. Throws ChainUnavailable, and then nothing is lost. */
  advance(requestHash: string): Promise<Purchase | null> {
    return this.flights.run(requestHash, async () => {
      let purchase = await this.purchases.find(requestHash);
      for (let step = 0; step < STEPS_MAX && purchase; step++) {
        if (!(await this.step(purchase))) break;
        purchase = await this.purchases.find(requestHash);
      }
      return purchase;
    });
  }

  /** Puts the ticket of a completed purchase back where a reorganisation took it away. The burn has to stand, as before. */
  async restore(purchase: Purchase): Promise<void> {
    const { ticketKey, registrationTxid, response, confirmation } = purchase;
    if (!(await this.registration.find(ticketKey!, registrationTxid))) {
      const registration = await this.registration.register(response!, confirmation!, null);
      this.logger.warn(`The ticket of purchase ${purchase.requestHash} had left the chain: ${registration.state}`);
      if ('txid' in registration) await this.purchases.note(purchase, { registrationTxid: registration.txid });
    }
    await this.purchases.note(purchase, { touchedAt: this.now });
  }

  /** Whether there may be more to do at once. */
  private async step(purchase: Purchase): Promise<boolean> {
    switch (purchase.state) {
      case 'claimed':
        return this.judge(purchase);
      case 'burn-confirmed':
        return this.check(purchase);
      case 'registering':
        return this.register(purchase);
      default:
        return false;
    }
  }

  private async judge(purchase: Purchase): Promise<boolean> {
    const [response, confirmation] = [purchase.response!, purchase.confirmation!];
    const verdict = await this.payment.judge(response, confirmation);
    const loss = lossOf(verdict);
    if (loss !== undefined) return this.fail(purchase, loss);
    if (verdict.verdict !== 'good') return false;
    const move = await this.purchases.move(purchase, 'burn-confirmed', {
      burnTxid: confirmation.txid_of_credit_purchase_burn_transaction,
      excessPatoshis: verdict.excessPatoshis,
      ticketKey: composeTicket(response, confirmation).fullyParsedHash,
      touchedAt: this.now,
    });
    return move === 'taken' ? this.fail(purchase, 'The burn transaction has paid for another credit pack already') : true;
  }

  private async check(purchase: Purchase): Promise<boolean> {
    if (this.isPausing(purchase)) return false;
    // Once more: a reorganisation may have undone the burn since it was judged.
    const verdict = await this.payment.judge(purchase.response!, purchase.confirmation!);
    const loss = lossOf(verdict);
    if (loss !== undefined) return this.fail(purchase, loss);
    if (verdict.verdict !== 'good') return false;
    const faults = await this.registration.faultsOf(purchase.response!, purchase.confirmation!);
    if (faults.length > 0) return this.pause(purchase, faults.join('; '));
    return (await this.purchases.move(purchase, 'registering', { trouble: null, touchedAt: this.now })) === 'moved';
  }

  private async register(purchase: Purchase): Promise<boolean> {
    const found = await this.registration.find(purchase.ticketKey!, purchase.registrationTxid);
    if (!found && this.isPausing(purchase)) return false;
    const registration =
      found ?? (await this.registration.register(purchase.response!, purchase.confirmation!, purchase.registrationTxid));
    switch (registration.state) {
      case 'refused': {
        // Nothing is on its way; where a reorganisation has undone the burn for good, nothing ever will be.
        const loss = lossOf(await this.payment.judge(purchase.response!, purchase.confirmation!));
        return loss === undefined ? this.pause(purchase, registration.reason) : this.fail(purchase, loss);
      }
      case 'busy':
        return false;
      case 'waiting':
        if (registration.txid !== purchase.registrationTxid)
          await this.purchases.note(purchase, { registrationTxid: registration.txid, trouble: null, touchedAt: this.now });
        return false;
      case 'void':
        return this.fail(purchase, registration.reason);
      case 'mined': {
        const { txid: registrationTxid, isSame } = registration;
        return this.finish(purchase, { outcome: isSame ? 'success' : 'failed', registrationTxid, reason: '' });
      }
    }
  }

  private fail(purchase: Purchase, reason: string): Promise<boolean> {
    return this.finish(purchase, { outcome: 'failure', registrationTxid: '', reason });
  }

  private async finish(purchase: Purchase, outcome: Outcome): Promise<boolean> {
    const confirmationResponse = await this.messages.confirmationResponse(purchase.confirmation!, outcome);
    const isRegistered = outcome.registrationTxid !== '';
    const announcements = isRegistered
      ? this.outbox.compose(
          'storageAnnouncement',
          confirmationResponse,
          confirmationResponse.sha3_256_hash_of_credit_pack_purchase_request_confirmation_response_fields,
          purchase.response!.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms,
        )
      : [];
    const changes = {
      confirmationResponse,
      trouble: outcome.reason || null,
      touchedAt: this.now,
      ...(isRegistered && { registrationTxid: outcome.registrationTxid }),
    };
    const to = outcome.outcome === 'success' ? 'completed' : 'failed';
    const move = await this.purchases.move(purchase, to, changes, announcements);
    if (move === 'moved') {
      this.logger.log(`Purchase ${purchase.requestHash} ${to}${outcome.reason && `: ${outcome.reason}`}`);
      if (isRegistered) this.outbox.kick();
    }
    return false;
  }

  /** The ticket cannot be written now; the money is kept for it, and it is tried again. */
  private async pause(purchase: Purchase, trouble: string): Promise<boolean> {
    if (this.now - purchase.createdAt > GIVEN_UP_AFTER_MS) return this.fail(purchase, trouble);
    this.logger.warn(`Purchase ${purchase.requestHash} waits to be registered: ${trouble}`);
    await this.purchases.note(purchase, { trouble, touchedAt: this.now });
    return false;
  }
  private isPausing({ trouble, touchedAt }: Purchase): boolean {
    const pausedMs = this.now - touchedAt;
    // Less than nothing: the clock was set back.
    return trouble !== null && pausedMs >= 0 && pausedMs < PAUSE_MS;
  }
  private get now(): number {
    return this.messages.now.getTime();
  }
}

/** Why the burn will never pay for the purchase. */
const lossOf = (verdict: PaymentVerdict): string | undefined =>
  verdict.verdict === 'late' ? NOT_CONFIRMED : verdict.verdict === 'refused' ? verdict.reason : undefined;
