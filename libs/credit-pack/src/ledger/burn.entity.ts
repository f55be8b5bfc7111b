import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { integerColumn } from '../columns.js';

/** A transaction that sends usage amounts to the burn address (credit-packs spec 5.12). */
@Entity('usage_burn')
@Check('"patoshis" > 0')
export class UsageBurnRow {
  @PrimaryColumn('text') txid!: string;
  /** Sum of its outputs of usage size, in patoshis: one for each tenth of a credit. */
  @Column(integerColumn()) patoshis!: number;
  /** Null while it waits in the mempool, or after its block was disconnected. */
  @Index() @Column(integerColumn({ nullable: true })) height!: number | null;
  @Column('text', { nullable: true }) blockHash!: string | null;
  /** Tip when it was first seen waiting, or the height of its block where that is lower. */
  @Column(integerColumn()) seenAtHeight!: number;
  /** Newest tip at which the node still knew it; means something only while it waits. */
  @Column(integerColumn()) knownAtHeight!: number;
  /** The one pack whose usage it is. */
  @Index() @Column('text', { nullable: true }) packTxid!: string | null;
  /** The one request that claimed it. */
  @Column('text', { nullable: true, unique: true }) requestId!: string | null;
  /** Claimed, but the node knows it no more: its hold is `unsettled` and it is not among the burns of the pack until it is seen again. */
  @Column('boolean', { default: false }) isGone!: boolean;
}

/** Addresses that a burn spends from. */
@Entity('usage_burn_party')
@Index(['address', 'role'])
export class BurnPartyRow {
  @PrimaryColumn('text') txid!: string;
  @PrimaryColumn('text') address!: string;
  @PrimaryColumn('text') role!: 'input';
}
