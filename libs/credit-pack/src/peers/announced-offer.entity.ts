import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import {
  CreditPackPurchasePriceAgreementRequest,
  CreditPackPurchasePriceAgreementRequestResponse,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestConfirmationResponse,
  CreditPackPurchaseRequestResponse,
  CreditPackStorageRetryRequest,
  CreditPackStorageRetryRequestResponse,
} from '#protocol';
import { integerColumn, messageColumn } from '../columns.js';

/** What this node was told of a purchase at another supernode. Times are Unix milliseconds. */
@Entity('announced_credit_pack_offer')
@Index(['supernodePastelId', 'requestHash'], { unique: true })
export class AnnouncedOffer {
  @PrimaryColumn('text') responseHash!: string;
  /** Not unique by itself: clients take the same request to the next supernode. */
  @Index() @Column('text') requestHash!: string;
  @Column('text') supernodePastelId!: string;
  @Column('text') pastelId!: string;
  @Index() @Column('text') trackingAddress!: string;
  @Index() @Column(integerColumn()) totalPatoshis!: number;
  @Index() @Column(integerColumn()) lastBurnHeight!: number;
  @Index() @Column(integerColumn()) createdAt!: number;
  @Column(messageColumn(CreditPackPurchaseRequestResponse)) response!: CreditPackPurchaseRequestResponse;
  @Column(messageColumn(CreditPackPurchaseRequestConfirmation)) confirmation!: CreditPackPurchaseRequestConfirmation | null;
  @Column(messageColumn(CreditPackPurchaseRequestConfirmationResponse))
  confirmationResponse!: CreditPackPurchaseRequestConfirmationResponse | null;
}

/** This node's vote on a peer's price; the same question gets the same vote. */
@Entity('credit_pack_price_vote')
export class PriceVote {
  @PrimaryColumn('text') questionHash!: string;
  @Index() @Column('text') trackingAddress!: string;
  /** Of the buyer. */
  @Column('text') pastelId!: string;
  @Column(integerColumn()) height!: number;
  @Index() @Column(integerColumn()) createdAt!: number;
  @Column(messageColumn(CreditPackPurchasePriceAgreementRequest)) question!: CreditPackPurchasePriceAgreementRequest;
  @Column(messageColumn(CreditPackPurchasePriceAgreementRequestResponse)) vote!: CreditPackPurchasePriceAgreementRequestResponse;
}

/** A ticket that this node stores in the place of the supernode that sold it. */
@Entity('credit_pack_storage_retry')
export class StorageRetry {
  @PrimaryColumn('text') retryHash!: string;
  @Index() @Column('text') responseHash!: string;
  @Index() @Column(integerColumn()) createdAt!: number;
  @Column(messageColumn(CreditPackStorageRetryRequest)) retry!: CreditPackStorageRetryRequest;
  /** Null while the ticket is on its way; see {@link Purchase.ticketKey}. */
  @Column(messageColumn(CreditPackStorageRetryRequestResponse)) answer!: CreditPackStorageRetryRequestResponse | null;
  @Column('text', { nullable: true }) registrationTxid!: string | null;
}

/** What a peer said it stored in the place of another. */
@Entity('announced_credit_pack_storage_retry')
export class AnnouncedStorageRetry {
  @PrimaryColumn('text') answerHash!: string;
  @Index() @Column('text') requestHash!: string;
  @Index() @Column(integerColumn()) createdAt!: number;
  @Column(messageColumn(CreditPackStorageRetryRequestResponse)) answer!: CreditPackStorageRetryRequestResponse;
}

/** A ticket that names another price than this node agreed to when it signed; see AgreedPrices. Kept for good: it is evidence. */
@Entity('credit_pack_broken_agreement')
export class BrokenAgreementRow {
  @PrimaryColumn('text') registrationTxid!: string;
  @Column('text') requestHash!: string;
  @Column('text') sellerPastelId!: string;
  @Column('text') ticketPrice!: string;
  /** JSON list, as they were written in the questions. */
  @Column('text') agreedPrices!: string;
  @Column(integerColumn()) notedAt!: number;
}
