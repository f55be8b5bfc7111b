import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { count, instant } from './columns.js';

/** An inbox item that is no message, so that it is judged and logged once although pasteld offers it for ever. */
@Entity('rejected_messages')
export class RejectedMessage {
  /** pasteld's hash. */
  @PrimaryColumn({ type: 'text' }) id!: string;
  @Column({ type: 'text' }) reason!: string;
  @Column({ type: 'text' }) sending_sn_txid_vout!: string;
  /** Unix seconds, as pasteld said; may be nonsense. */
  @Index() @Column(count) sent_at_seconds!: number;
  @Column(instant) rejected_at!: Date;
}

/** An item whose sender or receiver is not listed at the moment: asked about again until it is too late. */
@Entity('deferred_messages')
export class DeferredMessage {
  @PrimaryColumn({ type: 'text' }) id!: string;
  @Column(count) sent_at_seconds!: number;
  @Column(instant) deferred_at!: Date;
}

/** A stored message that its handlers still have to be told of; gone once they have been. */
@Entity('message_dispatches')
export class MessageDispatch {
  @PrimaryColumn({ type: 'text' }) pasteld_message_hash!: string;
  /** Counted before the call: a message that kills the process is not tried for ever. */
  @Column({ type: 'integer', default: 0 }) attempts!: number;
  @Index() @Column(instant) due_at!: Date;
  @Column({ type: 'text', nullable: true }) last_error!: string | null;
}
