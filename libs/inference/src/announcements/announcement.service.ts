import { Injectable, Logger } from '@nestjs/common';
import { SupernodeNetwork } from '#chain';
import { MessagingSettings } from '#config';
import { NodeMessenger } from '#messaging';
import { byDistanceTo, Signing } from '#protocol';
import type { OwedAnnouncement } from '../inference.entities.js';
import { OwedAnnouncementsRepository } from './owed-announcements.repository.js';

const ATTEMPTS_MAX = 6;
const SWEEP_MAX = 50;
/** An attempt that nobody finished is taken for dead after this; also the pause before the second one. */
const PAUSE_FIRST_MS = 10_000;

/** 10 s, 30 s, 90 s … */
const pauseAfter = (attempts: number): number => PAUSE_FIRST_MS * 3 ** attempts;

/**
 * Tells the supernodes closest to the requester of quotes and results, so that they can be audited there (inference spec 5.6).
 * No user waits for it, and no failure of it reaches a user.
 *
 * 1. Take what is due; one conditional statement claims it and counts the attempt.
 * 2. Choose the closest listed supernodes, this one left out, and send to those that do not have it.
 * 3. All told, or attempts used up: done.
 */
@Injectable()
export class AnnouncementService {
  private readonly logger = new Logger(AnnouncementService.name);
  private sweeping: Promise<void> | undefined;

  constructor(
    private readonly owed: OwedAnnouncementsRepository,
    private readonly network: SupernodeNetwork,
    private readonly messenger: NodeMessenger,
    private readonly signing: Signing,
    private readonly settings: MessagingSettings,
  ) {}

  /** One sweep at a time. */
  sweep(now: Date): Promise<void> {
    return (this.sweeping ??= this.round(now).finally(() => (this.sweeping = undefined)));
  }

  private async round(now: Date): Promise<void> {
    for (let count = 0; count < SWEEP_MAX; count++) {
      const announcement = await this.owed.claim({ nowMs: now.getTime(), pauseMsMax: pauseAfter(ATTEMPTS_MAX) }, pauseAfter);
      if (!announcement) break;
      await this.deliver(announcement);
    }
  }

  private async deliver(announcement: OwedAnnouncement): Promise<void> {
    const { id, attempts, message_type, text, closest_to } = announcement;
    const isLast = attempts + 1 >= ATTEMPTS_MAX;
    const have = new Set(JSON.parse(announcement.delivered_to) as string[]);
    try {
      const missing = (await this.audience(closest_to)).filter((pastelId) => !have.has(pastelId));
      const { deliveries } =
        missing.length > 0 ? await this.messenger.sendToMany(message_type, text, missing) : { deliveries: [] };
      for (const { pastelId, sent } of deliveries) if (sent) have.add(pastelId);
      await this.owed.noteDeliveries(id, [...have], isLast || missing.every((pastelId) => have.has(pastelId)));
    } catch (error) {
      this.logger.warn(`Announcement ${id}, attempt ${attempts + 1}: ${(error as Error).message}`);
      if (isLast) await this.owed.noteDeliveries(id, [...have], true);
    }
  }

  private async audience(requester: string): Promise<string[]> {
    const listed = (await this.network.list()).flatMap(({ pastelId }) => pastelId ?? []);
    const others = [...new Set(listed)].filter((pastelId) => pastelId !== this.signing.pastelId);
    return byDistanceTo(requester, others).slice(0, this.settings.audience);
  }
}
