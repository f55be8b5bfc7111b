import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { CallerOrThisMachine, Challenged, describe, ErrorAnswers, LocalhostOnly, QueryText } from '#http';
import { InferenceAPIOutputResult } from '#protocol';
import { ConfirmationStep, HandedInResult, ValidationQuestion } from './early-endpoints.dto.js';
import { EarlyEndpoints, type Executed, type Processed, type Validity } from './early-endpoints.service.js';
import { HandedInResults } from '../results/handed-in-results.service.js';

const resultShown = { $ref: getSchemaPath(describe(InferenceAPIOutputResult)) };

/** The steps of a request, one by one, as the first clients called them. For the requester, and for this machine. */
@ApiTags('inference, first clients')
@Controller()
export class EarlyEndpointsController {
  constructor(
    private readonly steps: EarlyEndpoints,
    private readonly handedIn: HandedInResults,
  ) {}

  @Post('validate_inference_api_usage_request')
  @HttpCode(200)
  @Challenged({ in: 'body', pastelId: 'requesting_pastelid', orThisMachine: true, dto: ValidationQuestion })
  @ApiOperation({ summary: 'What a request would cost, and whether the pack has it; nothing is stored or held' })
  @ApiOkResponse({
    schema: {
      type: 'object',
      example: {
        is_valid: true,
        proposed_cost_of_request_in_inference_credits: 0.5,
        remaining_credits_in_pack_after_request_processed: 1499.5,
        reason: null,
      },
    },
  })
  @ErrorAnswers(413, 503)
  validate(@Body() question: ValidationQuestion): Promise<Validity> {
    return this.steps.validate(question);
  }

  @Post('process_inference_confirmation')
  @HttpCode(200)
  @Challenged({ in: 'body', orThisMachine: true, dto: ConfirmationStep })
  @ApiOperation({ summary: 'Name the burn of a quoted request; the same as confirm_inference_request' })
  @ApiOkResponse({ schema: { type: 'object', example: { is_processed: true, reason: null } } })
  @ErrorAnswers(400, 403, 413, 503)
  process(@Body() step: ConfirmationStep, @CallerOrThisMachine() caller: string | undefined): Promise<Processed> {
    return this.steps.process(step, caller);
  }

  @Post('execute_inference_request')
  @HttpCode(200)
  @Challenged({ in: 'query', orThisMachine: true })
  @ApiOperation({
    summary: 'Have a paid request run, if it does not run by itself already, and get its result when there is one',
  })
  @ApiOkResponse({
    schema: {
      type: 'object',
      properties: {
        state: { type: 'string', example: 'COMPLETED' },
        output_text: { type: 'string', nullable: true, example: 'Hello' },
        output_files: { type: 'array', items: { type: 'string' }, example: [] },
        inference_result: resultShown,
      },
    },
  })
  @ErrorAnswers(403, 404, 409, 413)
  execute(
    @QueryText('inference_request_id') requestId: string,
    @CallerOrThisMachine() caller: string | undefined,
  ): Promise<Executed> {
    return this.steps.execute(requestId, caller);
  }

  @Post('send_inference_output_results')
  @HttpCode(200)
  @LocalhostOnly()
  @ApiOperation({ summary: 'Hand in the result of a paid request that waits to be run; for components of this machine' })
  @ApiOkResponse({ schema: resultShown })
  @ErrorAnswers(400, 404, 409, 413, 422)
  handIn(@Body() result: HandedInResult): Promise<InferenceAPIOutputResult> {
    return this.handedIn.take(result);
  }
}
