import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import {
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestConfirmationResponse,
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
  CreditPackPurchaseRequestRejection,
  CreditPackPurchaseRequestResponse,
  CreditPackPurchaseRequestResponseTermination,
} from '#protocol';
import { integerColumn, messageColumn } from '../columns.js';
import type { PurchaseState } from './purchase-state.rules.js';

/** A purchase at the supernode that sells it, with every message that was taken and given. Times are Unix milliseconds. */
@Entity('credit_pack_purchase')
export class Purchase {
  @PrimaryColumn('text') requestHash!: string;
  @Index() @Column('text') state!: PurchaseState;
  @Index() @Column('text') pastelId!: string;
  @Index() @Column('text') trackingAddress!: string;
  @Column(integerColumn()) totalPatoshis!: number;
  @Column(integerColumn()) createdAt!: number;
  /** Of the last step or attempt; the sweep begins with the longest untouched. */
  @Index() @Column(integerColumn()) touchedAt!: number;
  /** When a quote that nobody accepted lapses. */
  @Column(integerColumn()) expiresAt!: number;

  // Promised while the purchase is open and null afterwards: the unique keys let the database refuse a second promise.
  @Column(integerColumn({ nullable: true, unique: true })) openTotalPatoshis!: number | null;
  @Column('text', { nullable: true, unique: true }) openAddress!: string | null;
  /** `<PastelID>:<n>`: its n-th open offer. */
  @Column('text', { nullable: true, unique: true }) openSlot!: string | null;

  @Column(messageColumn(CreditPackPurchaseRequest)) request!: CreditPackPurchaseRequest;
  @Column(messageColumn(CreditPackPurchaseRequestRejection)) rejection!: CreditPackPurchaseRequestRejection | null;
  @Column(messageColumn(CreditPackPurchaseRequestPreliminaryPriceQuote))
  quote!: CreditPackPurchaseRequestPreliminaryPriceQuote | null;
  @Column(messageColumn(CreditPackPurchaseRequestPreliminaryPriceQuoteResponse))
  quoteResponse!: CreditPackPurchaseRequestPreliminaryPriceQuoteResponse | null;
  @Column(messageColumn(CreditPackPurchaseRequestResponseTermination))
  termination!: CreditPackPurchaseRequestResponseTermination | null;
  @Column(messageColumn(CreditPackPurchaseRequestResponse)) response!: CreditPackPurchaseRequestResponse | null;
  @Column(messageColumn(CreditPackPurchaseRequestConfirmation)) confirmation!: CreditPackPurchaseRequestConfirmation | null;
  @Column(messageColumn(CreditPackPurchaseRequestConfirmationResponse))
  confirmationResponse!: CreditPackPurchaseRequestConfirmationResponse | null;

  @Column('text', { nullable: true, unique: true }) responseHash!: string | null;
  @Column(integerColumn({ nullable: true })) offerHeight!: number | null;
  /** The last block in which the burn counts. */
  @Index() @Column(integerColumn({ nullable: true })) lastBurnHeight!: number | null;

  /** Set once the burn is judged good: one burn pays one purchase. */
  @Column('text', { nullable: true, unique: true }) burnTxid!: string | null;
  /** Burned beyond the total; recorded, never credited. */
  @Column(integerColumn({ nullable: true })) excessPatoshis!: number | null;
  /** F(D), the secondary key of the ticket: written before the ticket is registered, so that it is never registered twice. */
  @Column('text', { nullable: true }) ticketKey!: string | null;
  @Column('text', { nullable: true, unique: true }) registrationTxid!: string | null;
  /** Why the last attempt to go on did not. */
  @Column('text', { nullable: true }) trouble!: string | null;
}

/** A request that was no request: its hash or signature was wrong, so it is not filed under the hash it claims. */
@Entity('credit_pack_purchase_rejection')
export class RefusedRequest {
  @PrimaryColumn('text') rejectionHash!: string;
  @Index() @Column(integerColumn()) createdAt!: number;
  @Column(messageColumn(CreditPackPurchaseRequestRejection)) rejection!: CreditPackPurchaseRequestRejection;
}
