import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { integerColumn } from '../columns.js';

/**
 * - `standing`: its ticket is on the best chain and every check passed; it can be spent.
 * - `orphaned`: a reorganisation took its ticket or its purchase burn away; counters and holds stay, nothing new is held.
 * - `superseded`: an earlier ticket claims the same purchase burn, request or tracking address; it will not be spent again.
 */
export type PackState = 'standing' | 'orphaned' | 'superseded';

/**
 * A credit pack with its two counters; all amounts in thousandths of a credit. What can be held is `initial - held - burned`, never below
 * zero; burns that go beyond it are a deficit (see pack.rules.ts). Only standing packs own their keys, so the partial indices let the
 * database refuse two packs for one burn, one request or one tracking address.
 */
@Entity('credit_pack')
@Index(['purchaseBurnTxid'], { unique: true, where: `"state" = 'standing'` })
@Index(['trackingAddress'], { unique: true, where: `"state" = 'standing'` })
@Index(['requestHash'], { unique: true, where: `"state" = 'standing'` })
@Check('"initialMillicredits" > 0')
@Check('"heldMillicredits" >= 0')
@Check('"burnedMillicredits" >= 0')
export class PackRow {
  @PrimaryColumn('text') registrationTxid!: string;
  @Column('text') state!: PackState;
  @Index() @Column('text') purchaseBurnTxid!: string;
  @Index() @Column('text') trackingAddress!: string;
  @Index() @Column('text') requestHash!: string;
  @Column('text') ownerPastelId!: string;
  /** JSON list, exactly as in the ticket. */
  @Column('text') authorisedPastelIds!: string;

  @Column(integerColumn()) initialMillicredits!: number;
  /** Holds in state `held` or `unsettled`. */
  @Column(integerColumn({ default: 0 })) heldMillicredits!: number;
  /** All usage burns of the pack, waiting ones included. */
  @Column(integerColumn({ default: 0 })) burnedMillicredits!: number;

  @Index() @Column(integerColumn()) height!: number;
  /** Position of the ticket in its block. */
  @Column(integerColumn()) blockIndex!: number;
  @Column('text') blockHash!: string;
  @Index() @Column(integerColumn()) purchaseBurnHeight!: number;

  // What the ticket list repeats (credit-packs spec 5.12); numbers as they were written.
  @Column('text') fullyParsedHash!: string;
  @Column('text') pslCostPerCredit!: string;
  @Column('text') requestedCredits!: string;
  @Column(integerColumn()) confirmationHeight!: number;
  @Column('text') ticketJson!: string;

  /** Tip when the pack's burns were last read from the chain; null before the first time. */
  @Column(integerColumn({ nullable: true })) refreshedAtHeight!: number | null;
  /** Unix milliseconds of the same. */
  @Column(integerColumn({ nullable: true })) refreshedAt!: number | null;
}

/** Who may spend which pack. */
@Entity('credit_pack_user')
export class PackUserRow {
  @PrimaryColumn('text') pastelId!: string;
  @PrimaryColumn('text') registrationTxid!: string;
}
