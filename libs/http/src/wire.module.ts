import { Global, Module } from '@nestjs/common';
import type { Entity } from '#database';
import { ChallengeController } from './challenge.controller.js';
import { ChallengeRow } from './challenge.entity.js';
import { ChallengeRepository } from './challenge.repository.js';
import { ChallengeScheduler } from './challenge.scheduler.js';
import { ChallengeService } from './challenge.service.js';
import { Freshness } from './freshness.js';
import { HealthController } from './health.controller.js';
import { Lifecycle } from './lifecycle.js';
import { Metrics, MetricsController } from './metrics.js';
import { PastelIdLimit } from './pastelid-limit.js';
import { Readiness } from './readiness.service.js';
import { SiteController } from './site.controller.js';

/** What every controller leans on: challenges and freshness. Global, because guards are made in the module of their controller. */
@Global()
@Module({
  controllers: [ChallengeController, HealthController, MetricsController, SiteController],
  providers: [Lifecycle, Metrics, Readiness, ChallengeRepository, ChallengeService, ChallengeScheduler, PastelIdLimit, Freshness],
  exports: [Lifecycle, Metrics, ChallengeService, PastelIdLimit, Freshness],
})
export class WireModule {}

export const httpEntities: readonly Entity[] = [ChallengeRow];
