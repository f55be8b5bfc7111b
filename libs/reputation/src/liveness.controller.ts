import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ErrorAnswers } from '#http';
import { Clock, pythonTimestamp } from '#protocol';
import { BenchmarkService } from './benchmark.service.js';

/** Member names are those of the original (inference spec 7.2). */
interface Liveness {
  readonly status: 'alive';
  readonly timestamp: string;
  readonly raw_benchmark_score: number | null;
  readonly performance_ratio_score: number | null;
  readonly last_benchmark_n_seconds_ago: number | null;
}

@ApiTags('supernodes')
@Controller()
export class LivenessController {
  constructor(
    private readonly benchmark: BenchmarkService,
    private readonly clock: Clock,
  ) {}

  @Get('liveness_ping')
  @ApiOperation({ summary: 'Whether this supernode is up, and how fast its pasteld answers' })
  @ApiOkResponse({
    schema: {
      example: {
        status: 'alive',
        timestamp: '2026-01-05T12:00:00.123000+00:00',
        raw_benchmark_score: 1280,
        performance_ratio_score: 80,
        last_benchmark_n_seconds_ago: 12.5,
      },
    },
  })
  @ErrorAnswers(429, 500)
  liveness(): Liveness {
    return livenessOf(this.benchmark.current, this.clock.now());
  }

  /** Some clients ask this instead, and take any answer (clients spec 11). */
  @Get('ping')
  @ApiOperation({ summary: 'Whether anybody answers' })
  @ApiOkResponse({ schema: { type: 'object', example: { message: 'pong' } } })
  @ErrorAnswers(429, 500)
  ping(): { message: string } {
    return { message: 'pong' };
  }
}

export function livenessOf(benchmark: BenchmarkService['current'], now: Date): Liveness {
  return {
    status: 'alive',
    timestamp: pythonTimestamp(now),
    raw_benchmark_score: benchmark?.score ?? null,
    performance_ratio_score: benchmark?.ratio ?? null,
    last_benchmark_n_seconds_ago: benchmark ? (now.getTime() - benchmark.at.getTime()) / 1000 : null,
  };
}
