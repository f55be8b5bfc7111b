import { Controller, Get, Header, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ErrorAnswers, OperatorOnly, PastelIdPipe } from '#http';
import { kinds } from '#protocol';
import type { NetworkReport } from './peer-report.js';
import { PeerReports } from './peer-report.service.js';
import { StandingService, type Reputation } from './standing.service.js';

const PASTELID = kinds.pastelId.shown.example;
const NOON = '2026-01-05T12:00:00+00:00';

/** What this node measured of the others, and what it makes of it. */
@ApiTags('reputation')
@Controller()
export class ReputationController {
  constructor(
    private readonly standings: StandingService,
    private readonly reports: PeerReports,
  ) {}

  @Get('reputation/:pastelid')
  @ApiOperation({ summary: 'What this node thinks of a supernode, from 0 to 5, and why' })
  @ApiParam({ name: 'pastelid', schema: kinds.pastelId.shown })
  @ApiOkResponse({
    schema: {
      type: 'object',
      example: {
        supernode_pastelid: PASTELID,
        reputation_score: 4.12,
        rating: { mean: 4.5, voices: 3 },
        liveness: { share: 0.9931, asked: 864, answered: 858 },
        audit: { agreeing: 3, differing: 0 },
        updated: NOON,
      },
    },
  })
  @ErrorAnswers(404, 422, 429, 500, 503)
  reputation(@Param('pastelid', PastelIdPipe) pastelId: string): Promise<Reputation> {
    return this.standings.reputation(pastelId);
  }

  @Get('supernode_health')
  @ApiOperation({ summary: 'Which supernodes answer this one, and how often they did in the last three days' })
  @ApiOkResponse({
    schema: {
      type: 'object',
      example: {
        answering: 1,
        not_answering: 0,
        supernodes: [
          {
            outpoint: '<txid>-0',
            pastelid: PASTELID,
            ip_address: '127.0.0.2',
            answers: true,
            asked: NOON,
            last_answer: NOON,
            share_answered: 0.9931,
            raw_benchmark_score: 1280,
            performance_ratio_score: 80,
          },
        ],
      },
    },
  })
  @ErrorAnswers(429, 500)
  health(): Promise<NetworkReport> {
    return this.reports.network();
  }

  @Get('get_supernode_inference_server_benchmark_plots')
  @OperatorOnly()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'")
  @ApiOperation({ summary: 'Benchmarks and pings over time, as a page for the operator' })
  @ApiOkResponse({ content: { 'text/html': { schema: { type: 'string' }, example: '<!doctype html>…' } } })
  plots(): Promise<string> {
    return this.reports.page();
  }
}
