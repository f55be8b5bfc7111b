import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Clock } from '#protocol';
import { InferenceSweeps } from './inference-sweeps.service.js';

@Injectable()
export class InferenceScheduler {
  constructor(
    private readonly clock: Clock,
    private readonly sweeps: InferenceSweeps,
  ) {}

  @Interval(1000) async execute(): Promise<void> {
    await this.sweeps.executions.sweep(this.clock.now());
  }
  @Interval(1000) async announce(): Promise<void> {
    await this.sweeps.announcements.sweep(this.clock.now());
  }
  @Interval(1000) async lookForBurns(): Promise<void> {
    await this.sweeps.confirmations.sweep(this.clock.now());
  }
  @Interval(15_000) async expire(): Promise<void> {
    await this.sweeps.confirmations.expireUnpaid();
  }
  @Interval(10_000) async askProviders(): Promise<void> {
    await this.sweeps.catalog.sweep(this.clock.now());
  }
  @Interval(600_000) async forget(): Promise<void> {
    await this.sweeps.retention.sweep(this.clock.now());
  }
}
