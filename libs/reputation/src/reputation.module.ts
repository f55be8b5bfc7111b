import { Module } from '@nestjs/common';
import { BenchmarkRepository } from './benchmark.repository.js';
import { BenchmarkScheduler } from './benchmark.scheduler.js';
import { BenchmarkService } from './benchmark.service.js';
import { LivenessController } from './liveness.controller.js';
import { MeasuredPeerHealth, PeerHealth } from './peer-health.js';
import { PeerProbe } from './peer-probe.js';
import { PeerReports } from './peer-report.service.js';
import { PeersRepository } from './peers.repository.js';
import { RegistryController } from './registry.controller.js';
import { RegistryService } from './registry.service.js';
import { ReputationController } from './reputation.controller.js';
import { ReputationScheduler } from './reputation.scheduler.js';
import { StandingRepository } from './standing.repository.js';
import { StandingService } from './standing.service.js';

/** Who the supernodes are, how well this node and its peers answer, and what that makes of them. */
@Module({
  controllers: [LivenessController, RegistryController, ReputationController],
  providers: [
    BenchmarkRepository,
    BenchmarkService,
    BenchmarkScheduler,
    RegistryService,
    PeersRepository,
    PeerProbe,
    StandingRepository,
    StandingService,
    MeasuredPeerHealth,
    { provide: PeerHealth, useExisting: MeasuredPeerHealth },
    PeerReports,
    ReputationScheduler,
  ],
  exports: [PeerHealth, MeasuredPeerHealth, StandingRepository, StandingService],
})
export class ReputationModule {}
