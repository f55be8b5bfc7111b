import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DryRunLimited, ErrorAnswers } from '#http';
import { DryRunAnswer, DryRunQuestion } from './dry-run.dto.js';
import { DryRunService } from './dry-run.service.js';

@ApiTags('inference')
@Controller()
export class DryRunController {
  constructor(private readonly dryRuns: DryRunService) {}

  @Post('quote')
  @HttpCode(200)
  @DryRunLimited()
  @ApiOperation({
    summary: 'What a request would cost, and why, line by line; needs no PastelID, and nothing is stored or held',
    description: 'Work whose length a model service alone can tell (documents to embed) is priced when a signed request comes.',
  })
  @ApiOkResponse({ type: DryRunAnswer })
  @ErrorAnswers(400, 413, 422, 503)
  quote(@Body() question: DryRunQuestion): Promise<DryRunAnswer> {
    return this.dryRuns.price(question);
  }
}
