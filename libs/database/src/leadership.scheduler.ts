import { Injectable } from '@nestjs/common';
import { Interval, Timeout } from '@nestjs/schedule';
import { CAMPAIGN_EVERY_MS, Leadership } from './leadership.service.js';

@Injectable()
export class LeadershipScheduler {
  constructor(private readonly leadership: Leadership) {}

  @Timeout(0) begin(): Promise<void> {
    return this.leadership.campaign();
  }
  @Interval(CAMPAIGN_EVERY_MS) goOn(): Promise<void> {
    return this.leadership.campaign();
  }
}
