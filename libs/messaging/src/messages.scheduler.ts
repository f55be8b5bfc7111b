import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Clock } from '#protocol';
import { DispatchService } from './dispatch.service.js';
import { InboxService } from './inbox.service.js';

@Injectable()
export class MessagesScheduler {
  constructor(
    private readonly clock: Clock,
    private readonly inbox: InboxService,
    private readonly dispatches: DispatchService,
  ) {}

  @Interval(1000) async takeIn(): Promise<void> {
    await this.inbox.sweepWhenDue(this.clock.now());
  }
  @Interval(1000) async handOut(): Promise<void> {
    await this.dispatches.sweep(this.clock.now());
  }
}
