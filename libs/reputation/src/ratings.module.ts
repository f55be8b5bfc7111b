import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { RatingController } from './rating.controller.js';
import { RatingService } from './rating.service.js';
import { ReputationModule } from './reputation.module.js';

/** Takes ratings. Apart from {@link ReputationModule}, which the module that proves them may need itself. */
@Module({})
export class RatingsModule {
  /** `proofs`: the module that exports {@link CompletedRequests}. */
  static provenBy(proofs: Type): DynamicModule {
    return {
      module: RatingsModule,
      imports: [ReputationModule, proofs],
      controllers: [RatingController],
      providers: [RatingService],
    };
  }
}
