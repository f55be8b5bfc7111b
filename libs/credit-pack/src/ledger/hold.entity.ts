import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { integerColumn } from '../columns.js';

/**
 * - `held`: set aside, not paid yet.
 * - `settled`: the burn is found and counts for the pack instead.
 * - `unsettled`: the burn of a settled hold has vanished from the node; set aside again until it is seen again.
 * - `released`: given back.
 */
export type HoldState = 'held' | 'settled' | 'unsettled' | 'released';

/** Credits set aside for one request. */
@Entity('credit_hold')
@Check('"millicredits" > 0')
export class HoldRow {
  @PrimaryColumn('text') requestId!: string;
  @Index() @Column('text') packTxid!: string;
  /** What is set aside, in thousandths of a credit; once settled, what the pack bore of the burn: all of it, unless it was overdrawn. */
  @Column(integerColumn()) millicredits!: number;
  @Column('text') state!: HoldState;
  /** A burn mined up to this height was older than the request. */
  @Column(integerColumn()) heldAtHeight!: number;
  /** The last height at which the burn may be seen or mined. */
  @Column(integerColumn()) expiresAtHeight!: number;
  @Column('text', { nullable: true, unique: true }) burnTxid!: string | null;
  /** Why the burn that settled it is not good for the request (too much, too late, overdrawn); null where it is. */
  @Column('text', { nullable: true }) refusal!: string | null;
}
