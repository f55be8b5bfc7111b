import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import { instant } from './columns.js';

/** A message from one user to another, as this node holds it. */
@Entity('user_messages')
@Index(['from_pastelid', 'id'], { unique: true })
@Index(['from_pastelid', 'timestamp'])
@Index(['to_pastelid', 'timestamp'])
export class UserMessage {
  @PrimaryGeneratedColumn() key!: number;
  /** The message's own id, the same on every node: the sender's choice where there was one. Replies carry ids of their own. */
  @Column({ type: 'text' }) id!: string;
  @Column({ type: 'text' }) from_pastelid!: string;
  @Column({ type: 'text' }) to_pastelid!: string;
  @Column({ type: 'text' }) message_body!: string;
  @Column({ type: 'text' }) message_signature!: string;
  /** Which text the sender signed (messaging spec 5.2). */
  @Column({ type: 'text' }) signed_form!: string;
  /** When the first supernode took it. */
  @Column(instant) timestamp!: Date;
  /** PastelID of the supernode that relayed it here; null when the user brought it. */
  @Column({ type: 'text', nullable: true }) relayed_by!: string | null;
}

/** A user message that this node owes to a supernode near the recipient; gone once pasteld took it. */
@Entity('user_message_relays')
@Index(['message_key', 'supernode_pastelid'], { unique: true })
export class UserMessageRelay {
  @PrimaryGeneratedColumn() key!: number;
  @Column({ type: 'integer' }) message_key!: number;
  @Column({ type: 'text' }) supernode_pastelid!: string;
  @Column({ type: 'integer', default: 0 }) attempts!: number;
  @Index() @Column(instant) due_at!: Date;
}
