import { Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { count, instant } from './columns.js';

// Counters of everything that was ever taken in, kept in the same transaction as the message itself. They stay when messages
// are purged: `total_messages` is "ever seen", not "stored now". Bytes are the UTF-8 length of the envelope. `timestamp` is
// the time of the row's creation, as in the original.

/** The one row of totals. */
@Entity('message_metadata')
export class MessageMetadata {
  @PrimaryColumn({ type: 'integer' }) id!: number;
  @Column(count) total_messages!: number;
  @Column(count) total_senders!: number;
  @Column(count) total_receivers!: number;
  @Index() @Column(instant) timestamp!: Date;
  /** Messages from before this instant were purged and are never taken in again, though pasteld keeps offering them. */
  @Column(instant) purged_before!: Date;
}

@Entity('message_sender_metadata')
export class MessageSenderMetadata {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'text', unique: true }) sending_sn_pastelid!: string;
  /** As of the newest message, like the key. */
  @Index() @Column({ type: 'text' }) sending_sn_txid_vout!: string;
  /** From the supernode list, not from the envelope. */
  @Index() @Column({ type: 'text' }) sending_sn_pubkey!: string;
  @Column(count) total_messages_sent!: number;
  @Column(count) total_data_sent_bytes!: number;
  @Index() @Column(instant) timestamp!: Date;
}

@Entity('message_receiver_metadata')
export class MessageReceiverMetadata {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'text', unique: true }) receiving_sn_pastelid!: string;
  @Index() @Column({ type: 'text' }) receiving_sn_txid_vout!: string;
  @Column(count) total_messages_received!: number;
  @Column(count) total_data_received_bytes!: number;
  @Index() @Column(instant) timestamp!: Date;
}

@Entity('message_sender_receiver_metadata')
@Index(['sending_sn_pastelid', 'receiving_sn_pastelid'], { unique: true })
export class MessageSenderReceiverMetadata {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'text' }) sending_sn_pastelid!: string;
  @Index() @Column({ type: 'text' }) receiving_sn_pastelid!: string;
  @Column(count) total_messages!: number;
  @Column(count) total_data_bytes!: number;
  @Index() @Column(instant) timestamp!: Date;
}
