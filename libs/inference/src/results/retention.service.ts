import { Injectable } from '@nestjs/common';
import { InferenceSettings } from '#config';
import { AnnouncedCopiesRepository } from '../announcements/announced-copies.repository.js';
import { Downloads } from '../execution/downloads.service.js';
import { InferenceRepository } from '../inference.repository.js';
import { OwedAnnouncementsRepository } from '../announcements/owed-announcements.repository.js';

const DAY_MS = 86_400_000;
/** Nobody paid for these; a burn that is named later than this finds nothing. */
const UNPAID_MS = DAY_MS;
const BATCH_MAX = 500;

/** Forgets results, and what belongs to them, after the time that the operator sets. Requests stay known by id; credit notes stay. */
@Injectable()
export class RetentionService {
  constructor(
    private readonly repository: InferenceRepository,
    private readonly owed: OwedAnnouncementsRepository,
    private readonly copies: AnnouncedCopiesRepository,
    private readonly downloads: Downloads,
    private readonly settings: InferenceSettings,
  ) {}

  /** One batch of each. */
  async sweep(now: Date): Promise<void> {
    const before = now.getTime() - this.settings.resultRetentionDays * DAY_MS;
    await this.repository.clearEndedBefore(before, 'ended', BATCH_MAX);
    await this.repository.clearEndedBefore(now.getTime() - UNPAID_MS, 'expired', BATCH_MAX);
    await this.owed.clearBefore(before, BATCH_MAX);
    await this.copies.clearBefore(before, BATCH_MAX);
    await this.downloads.sweep();
  }
}
