import { Column, Entity, Index, PrimaryColumn, type ColumnOptions } from 'typeorm';
import { CreditNote, InferenceAPIOutputResult, InferenceAPIUsageRequest, InferenceAPIUsageResponse } from '#protocol';
import { bigintAsNumber, tableOf } from '#database';
import { NoteAccount } from './credit-notes/note-account.entity.js';
import type { RequestState } from './payment/request-state.rules.js';

const whole: ColumnOptions = { type: 'bigint', transformer: bigintAsNumber };
const maybeWhole: ColumnOptions = { ...whole, nullable: true };
const maybeText: ColumnOptions = { type: 'text', nullable: true };

/**
 * What this node knows of a request that it quoted, beside the messages themselves: where it stands, what holds, what is due.
 * Times are milliseconds since 1970, amounts tenths of credits.
 */
@Entity('inference_requests')
@Index(['state', 'due_at_ms'])
export class InferenceJob {
  @PrimaryColumn({ type: 'text' }) inference_request_id!: string;
  @Column({ type: 'text', unique: true }) inference_response_id!: string;
  @Column({ type: 'text' }) request_hash!: string;
  @Index() @Column({ type: 'text' }) owner_pastelid!: string;
  /** Registration txid of the pack. */
  @Index() @Column({ type: 'text' }) pack_txid!: string;
  @Column({ type: 'text' }) model!: string;
  /** The provider's own name for it; empty where it is the same. */
  @Column({ type: 'text', default: '' }) upstream_model!: string;
  /** Name of the provider that runs it. */
  @Column({ type: 'text' }) provider!: string;
  @Column({ type: 'text' }) inference_type!: string;
  /** JSON of the checked parameters: what was priced is what runs, whatever the menu says later. */
  @Column({ type: 'text' }) parameters!: string;
  /** JSON of the work that was priced. */
  @Column({ type: 'text', default: '{"inputTokens":0,"outputTokensMax":0,"completions":1}' }) workload!: string;
  /** JSON list of what may run instead, each at no higher price: see `Fallback`. */
  @Column({ type: 'text', default: '[]' }) fallbacks!: string;
  @Column(whole) cost_tenths!: number;
  /** The credit note that pays; null where a burn does. */
  @Column(maybeText) note_id!: string | null;
  /** Last height for the burn. */
  @Column(whole) max_height!: number;
  @Column({ type: 'text' }) state!: RequestState;
  /** The burn that the owner names, while it is judged. Anybody may name anything, so it is not unique. */
  @Column(maybeText) named_txid!: string | null;
  @Column({ ...whole, default: 0 }) named_checks!: number;
  /** The burn that paid; one burn pays one request. */
  @Column({ ...maybeText, unique: true }) burn_txid!: string | null;
  @Column(maybeWhole) burn_seen_height!: number | null;
  /** Since when it may run. */
  @Column(maybeWhole) confirmed_at_ms!: number | null;
  @Column({ ...whole, default: 0 }) attempts!: number;
  /** When the next step is due: a look at the burn, an attempt, or the end of the lease of the running one. */
  @Column(maybeWhole) due_at_ms!: number | null;
  /** Which process runs it. */
  @Column(maybeText) executor!: string | null;
  /** Why it went the way it went. */
  @Column(maybeText) detail!: string | null;
  @Column(maybeWhole) input_tokens!: number | null;
  @Column(maybeWhole) output_tokens!: number | null;
  @Column(maybeText) usage_source!: string | null;
  @Index() @Column(whole) created_at_ms!: number;
  @Column(maybeWhole) finished_at_ms!: number | null;
}

/** An announcement that is owed to other supernodes; stored together with what it announces. */
@Entity('inference_announcements_owed')
@Index(['done', 'due_at_ms'])
export class OwedAnnouncement {
  @PrimaryColumn({ type: 'text' }) id!: string;
  @Column({ type: 'text' }) message_type!: string;
  @Column({ type: 'text' }) text!: string;
  /** The PastelID whose closest supernodes are told. */
  @Column({ type: 'text' }) closest_to!: string;
  /** JSON list of PastelIDs that have it. */
  @Column({ type: 'text', default: '[]' }) delivered_to!: string;
  @Column({ ...whole, default: 0 }) attempts!: number;
  @Column(whole) due_at_ms!: number;
  @Column({ type: 'boolean', default: false }) done!: boolean;
  @Index() @Column(whole) created_at_ms!: number;
}

/**
 * A response or a result of another supernode, as it was announced: for audits only, never executed. Different signers do not share a row,
 * so nobody can occupy another's ids.
 */
@Entity('inference_announced_copies')
export class AnnouncedCopy {
  @PrimaryColumn({ type: 'text' }) kind!: 'response' | 'result';
  @PrimaryColumn({ type: 'text' }) inference_response_id!: string;
  @PrimaryColumn({ type: 'text' }) signer_pastelid!: string;
  @Index() @Column({ type: 'text' }) inference_request_id!: string;
  /** Requester of the response; null for results, which do not name it. */
  @Column(maybeText) owner_pastelid!: string | null;
  /** The message as JSON, numbers as they were written. */
  @Column({ type: 'text' }) message!: string;
  /** The request beside a response, its input cut to 32 characters. */
  @Column(maybeText) request!: string | null;
  @Index() @Column(whole) received_at_ms!: number;
}

export const entities = [
  tableOf(InferenceAPIUsageRequest),
  tableOf(InferenceAPIUsageResponse),
  tableOf(InferenceAPIOutputResult),
  tableOf(CreditNote),
  NoteAccount,
  InferenceJob,
  OwedAnnouncement,
  AnnouncedCopy,
];
