import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from './bigint.js';

/** Which of several processes does something that one of them does. */
@Entity('lease')
export class Lease {
  @PrimaryColumn('text') name!: string;
  /** The process that has it; null once it was given back. */
  @Column('text', { nullable: true }) holder!: string | null;
  /** Goes up with each change of the holder. */
  @Column('bigint', { transformer: bigintAsNumber }) fence!: number;
  /** Unix milliseconds by the holder's clock. Others only look whether it changes, for their clocks may differ. */
  @Column('bigint', { transformer: bigintAsNumber }) expires_at_ms!: number;
}
