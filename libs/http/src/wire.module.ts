import { Global, Module } from '@nestjs/common';
import type { Entity } from '#database';
import { ChallengeController } from './challenge.controller.js';
import { ChallengeRow } from './challenge.entity.js';
import { ChallengeRepository } from './challenge.repository.js';
import { ChallengeScheduler } from './challenge.scheduler.js';
import { ChallengeService } from './challenge.service.js';
import { Freshness } from './freshness.js';
import { PastelIdLimit } from './pastelid-limit.js';
import { SiteController } from './site.controller.js';

/** What every controller leans on: challenges and freshness. Global, because guards are made in the module of their controller. */
@Global()
@Module({
  controllers: [ChallengeController, SiteController],
  providers: [ChallengeRepository, ChallengeService, ChallengeScheduler, PastelIdLimit, Freshness],
  exports: [ChallengeService, PastelIdLimit, Freshness],
})
export class WireModule {}

export const httpEntities: readonly Entity[] = [ChallengeRow];
