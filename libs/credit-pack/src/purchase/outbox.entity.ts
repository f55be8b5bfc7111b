import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { integerColumn } from '../columns.js';

/** Announcements that a step owes to peers (credit-packs spec 5). */
export type AnnouncementLine = 'responseAnnouncement' | 'storageAnnouncement' | 'storageRetryAnnouncement';

/** A message to one peer, stored with the step that owes it and gone once it is delivered or given up. */
@Entity('credit_pack_outbox')
@Index(['messageHash', 'recipient'], { unique: true })
export class OutgoingAnnouncement {
  @PrimaryColumn('text') id!: string;
  @Column('text') line!: AnnouncementLine;
  @Column('text') messageHash!: string;
  /** PastelID of the peer. */
  @Column('text') recipient!: string;
  /** The message as JSON. */
  @Column('text') text!: string;
  @Column(integerColumn()) attempts!: number;
  /** Unix milliseconds. */
  @Index() @Column(integerColumn()) dueAt!: number;
}
