import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '#database';

const tenths = { type: 'bigint', transformer: bigintAsNumber } as const;

/**
 * What is left of a credit note, in tenths of credits: `owed = open + held + redeemed`, where open is what the other two leave over. Made
 * when the note is first spent; a note without a row is open in full.
 */
@Entity('credit_note_account')
@Check('"owed_tenths" > 0')
@Check('"held_tenths" >= 0')
@Check('"redeemed_tenths" >= 0')
@Check('"held_tenths" + "redeemed_tenths" <= "owed_tenths"')
export class NoteAccount {
  @PrimaryColumn({ type: 'text' }) credit_note_id!: string;
  @Column(tenths) owed_tenths!: number;
  /** Set aside for requests that are quoted or run. */
  @Column({ ...tenths, default: 0 }) held_tenths!: number;
  /** Paid for requests that were served. */
  @Column({ ...tenths, default: 0 }) redeemed_tenths!: number;
}
