import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '#database';

/** A text that one PastelID has yet to sign; the row goes with its use. */
@Entity('challenge')
@Index(['pastelid', 'expires_at_ms'])
export class ChallengeRow {
  @PrimaryColumn('text') challenge_id!: string;
  @Column('text') challenge!: string;
  @Column('text') pastelid!: string;
  /** Unix milliseconds. */
  @Index() @Column('bigint', { transformer: bigintAsNumber }) expires_at_ms!: number;
  /** Wrong signatures that are still forgiven. */
  @Column('integer') attempts_left!: number;
}
