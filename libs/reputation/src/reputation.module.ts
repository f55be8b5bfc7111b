import { Module } from '@nestjs/common';
import { BenchmarkScheduler } from './benchmark.scheduler.js';
import { BenchmarkService } from './benchmark.service.js';
import { LivenessController } from './liveness.controller.js';
import { LivenessProbe, PeerHealth } from './peer-health.js';
import { RegistryController } from './registry.controller.js';
import { RegistryService } from './registry.service.js';

/** Who the supernodes are, and how well this node and its peers answer. */
@Module({
  controllers: [LivenessController, RegistryController],
  providers: [BenchmarkService, BenchmarkScheduler, RegistryService, { provide: PeerHealth, useClass: LivenessProbe }],
  exports: [PeerHealth],
})
export class ReputationModule {}
