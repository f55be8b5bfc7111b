import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import { instant } from './columns.js';

/** A message from another supernode that passed every check (messaging spec 4.5). Purged when it is obsolete. */
@Entity('messages')
@Index(['message_type', 'timestamp'])
export class Message {
  @PrimaryGeneratedColumn() id!: number;
  /** pasteld's own hash of the message: the database refuses what is already there. */
  @Column({ type: 'text', unique: true }) pasteld_message_hash!: string;
  @Index() @Column({ type: 'text' }) sending_sn_pastelid!: string;
  @Index() @Column({ type: 'text' }) receiving_sn_pastelid!: string;
  @Index() @Column({ type: 'text' }) sending_sn_txid_vout!: string;
  @Index() @Column({ type: 'text' }) receiving_sn_txid_vout!: string;
  @Column({ type: 'text' }) message_type!: string;
  /** The whole envelope, as it was received. */
  @Column({ type: 'text' }) message_body!: string;
  @Column({ type: 'text' }) signature!: string;
  /** pasteld's sigTime: the sender's clock, whole seconds. */
  @Index() @Column(instant) timestamp!: Date;
}
