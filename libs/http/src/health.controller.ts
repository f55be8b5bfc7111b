import { Controller, Get, HttpCode, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { ErrorAnswers } from './api-answers.js';
import { Health } from './health.dto.js';
import { HEALTH_PATH } from './lifecycle.js';
import { Readiness } from './readiness.service.js';

@ApiTags('health')
@Controller(HEALTH_PATH)
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @ApiOperation({ summary: 'Whether the process runs; asks nobody else' })
  @ApiOkResponse({ type: Health })
  @ErrorAnswers(429, 500)
  live(): Health {
    return { status: 'ok', checks: { process: 'ok' } };
  }

  @Get('ready')
  @HttpCode(200)
  @ApiOperation({ summary: 'Whether requests should be sent here: database and chain answer, and the process is not stopping' })
  @ApiOkResponse({ type: Health })
  @ApiResponse({ status: 503, type: Health, description: 'Not now; `checks` says why' })
  @ErrorAnswers(429, 500)
  async ready(@Res({ passthrough: true }) response: Response): Promise<Health> {
    const health = await this.readiness.check();
    if (health.status === 'error') response.status(503);
    return health;
  }
}
