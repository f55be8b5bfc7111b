import { Global, Module } from '@nestjs/common';
import type { Entity } from '#database';
import { ChallengeController } from './challenge.controller.js';
import { ChallengeRow } from './challenge.entity.js';
import { ChallengeRepository } from './challenge.repository.js';
import { ChallengeScheduler } from './challenge.scheduler.js';
import { ChallengeService } from './challenge.service.js';
import { Freshness } from './freshness.js';

/** What every controller leans on: challenges and freshness. Global, because guards are made in the module of their controller. */
@Global()
@Module({
  controllers: [ChallengeController],
  providers: [ChallengeRepository, ChallengeService, ChallengeScheduler, Freshness],
  exports: [ChallengeService, Freshness],
})
export class WireModule {}

export const httpEntities: readonly Entity[] = [ChallengeRow];
