import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { integerColumn } from '../columns.js';

/**
 * A credit pack ticket that gives no pack: known to be bad, or not decidable yet (its burn may still be mined). Undecided ones are
 * judged again by every sweep, and hold back later tickets that name the same burn, request or tracking address.
 */
@Entity('credit_pack_ticket_verdict')
export class TicketVerdictRow {
  @PrimaryColumn('text') registrationTxid!: string;
  @Index() @Column('text') verdict!: 'bad' | 'undecided';
  /** JSON list of texts. */
  @Column('text') reasons!: string;
  @Index() @Column(integerColumn()) height!: number;
  @Column(integerColumn()) blockIndex!: number;
  @Column('text') blockHash!: string;
  /** Tip when it was judged last. */
  @Column(integerColumn()) judgedAtHeight!: number;
  /** Unix milliseconds of the same; the longest untried is tried first. */
  @Column(integerColumn()) judgedAt!: number;

  // Null where the ticket cannot be read.
  @Index() @Column('text', { nullable: true }) purchaseBurnTxid!: string | null;
  @Index() @Column('text', { nullable: true }) trackingAddress!: string | null;
  @Index() @Column('text', { nullable: true }) requestHash!: string | null;
  @Column('text', { nullable: true }) fullyParsedHash!: string | null;
}

/** How far the chain was read: everything up to the highest row is known. The older rows find the fork after a reorganisation. */
@Entity('credit_pack_scan')
export class ScanRow {
  @PrimaryColumn('text') scan!: 'tickets' | 'burns';
  @PrimaryColumn('integer') height!: number;
  @Column('text') blockHash!: string;
  /** Unix milliseconds. */
  @Column(integerColumn()) readAt!: number;
}
