import { Column, Entity, Index, PrimaryColumn, type ColumnOptions } from 'typeorm';
import { bigintAsNumber } from '#database';

const whole = { type: 'bigint', transformer: bigintAsNumber } as const satisfies ColumnOptions;
const maybeWhole: ColumnOptions = { ...whole, nullable: true };
const maybeText: ColumnOptions = { type: 'text', nullable: true };

/** How a supernode did when it was last asked; in place of the lists of good and bad addresses (messaging spec 3.8). */
@Entity('reputation_peers')
export class PeerState {
  /** `txid-n` of the collateral. */
  @PrimaryColumn({ type: 'text' }) outpoint!: string;
  @Column(maybeText) pastelid!: string | null;
  @Column({ type: 'text' }) ip_address!: string;
  @Column({ type: 'boolean' }) answers!: boolean;
  @Index() @Column(whole) asked_at_ms!: number;
  @Column(maybeWhole) answered_at_ms!: number | null;
  /** What it says of itself, where that is a number: calls answered in four seconds, and hundredths of its ratio. */
  @Column(maybeWhole) stated_score!: number | null;
  @Column(maybeWhole) stated_ratio_hundredths!: number | null;
}

/** One hour of asking one supernode. */
@Entity('reputation_peer_hours')
export class PeerHour {
  @PrimaryColumn({ type: 'text' }) outpoint!: string;
  /** The beginning of the hour. */
  @Index() @PrimaryColumn(whole) hour_ms!: number;
  @Column(whole) asked!: number;
  @Column(whole) answered!: number;
}

/** One run of this node's own benchmark. */
@Entity('reputation_benchmarks')
export class BenchmarkRun {
  @PrimaryColumn(whole) at_ms!: number;
  @Column(whole) score!: number;
}

/** What the owner of one paid request says of the supernode that ran it. The signature is kept: anybody may check it. */
@Entity('reputation_ratings')
export class Rating {
  @PrimaryColumn({ type: 'text' }) inference_response_id!: string;
  @Index() @Column({ type: 'text' }) supernode_pastelid!: string;
  @Column({ type: 'text' }) rater_pastelid!: string;
  /** The pack that paid: each pack is one voice. */
  @Column({ type: 'text' }) pack_txid!: string;
  @Column(whole) score_hundredths!: number;
  /** Whether the result that the rater names is the one that was announced here; null where nobody can tell. */
  @Column({ type: 'boolean', nullable: true }) result_agrees!: boolean | null;
  /** The text that was signed, and the signature. */
  @Column({ type: 'text' }) signed_text!: string;
  @Column({ type: 'text' }) signature!: string;
  @Index() @Column(whole) received_at_ms!: number;
}

/** The score of one supernode, and what it was made of. */
@Entity('reputation_standings')
export class Standing {
  @PrimaryColumn({ type: 'text' }) supernode_pastelid!: string;
  @Column(whole) score_hundredths!: number;
  /** Packs whose owners rated it, and the mean of their means. */
  @Column(whole) voices!: number;
  @Column(maybeWhole) rating_hundredths!: number | null;
  @Column(whole) asked!: number;
  @Column(whole) answered!: number;
  @Column(whole) results_agreeing!: number;
  @Column(whole) results_differing!: number;
  @Index() @Column(whole) updated_at_ms!: number;
}

export const entities = [PeerState, PeerHour, BenchmarkRun, Rating, Standing];
