import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiOkResponse, ApiOperation, ApiQuery, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { CallerPastelId, Challenged, describe, ErrorAnswers, Exchange, Incoming, QueryText } from '#http';
import {
  exchanges,
  InferenceAPIOutputResult,
  InferenceAPIUsageRequest,
  InferenceAPIUsageResponse,
  InferenceConfirmation,
} from '#protocol';
import { ConfirmationService } from './payment/confirmation.service.js';
import { AuditBody } from './inference.dto.js';
import { menuShown, statusShown } from './inference.openapi.js';
import type { PublishedEntry } from './menu/menu-models.rules.js';
import { ModelCatalog } from './menu/model-catalog.service.js';
import { QuoteService } from './quote/quote.service.js';
import { ResultService, type RequestStatus } from './results/result.service.js';

const text = { type: 'string' };
const message = (type: Parameters<typeof describe>[0]) => ({ $ref: getSchemaPath(type) });
const confirmationBody = {
  schema: {
    type: 'object',
    required: ['inference_confirmation', 'challenge', 'challenge_id', 'challenge_signature'],
    properties: {
      inference_confirmation: message(InferenceConfirmation),
      challenge: text,
      challenge_id: text,
      challenge_signature: text,
    },
  },
};

/** The inference endpoints (inference spec 2.1). */
@ApiTags('inference')
@ApiExtraModels(describe(InferenceConfirmation), describe(InferenceAPIOutputResult), describe(InferenceAPIUsageResponse))
@Controller()
export class InferenceController {
  constructor(
    private readonly catalog: ModelCatalog,
    private readonly quotes: QuoteService,
    private readonly confirmations: ConfirmationService,
    private readonly results: ResultService,
  ) {}

  @Get('get_inference_model_menu')
  @ApiOperation({ summary: 'The models that this supernode offers now' })
  @ApiOkResponse({ schema: menuShown })
  @ErrorAnswers(429, 500)
  menu(): Promise<{ models: PublishedEntry[] }> {
    return this.catalog.menu();
  }

  @Exchange(exchanges.usageRequest, { summary: 'Ask what a request costs; the credits are held until it is paid or expires' })
  @ErrorAnswers(400, 403, 409, 503)
  make(@Incoming(exchanges.usageRequest.key) request: InferenceAPIUsageRequest): Promise<InferenceAPIUsageResponse> {
    return this.quotes.quote(request);
  }

  @Post('confirm_inference_request')
  @HttpCode(200)
  @Challenged({ in: 'body' })
  @ApiOperation({ summary: 'Name the burn that pays a quoted request; the request then runs by itself' })
  @ApiBody(confirmationBody)
  @ApiOkResponse({ schema: message(InferenceConfirmation), description: 'The confirmation again' })
  @ErrorAnswers(403, 404, 409, 413)
  confirm(
    @Incoming('inference_confirmation') confirmation: InferenceConfirmation,
    @CallerPastelId() caller: string,
  ): Promise<InferenceConfirmation> {
    return this.confirmations.confirm(confirmation, caller);
  }

  @Get('check_status_of_inference_request_results/:inference_response_id')
  @ApiOperation({ summary: 'Whether the result can be fetched: bare true or false' })
  @ApiOkResponse({ schema: { type: 'boolean' } })
  @ErrorAnswers(429, 500)
  isReady(@Param('inference_response_id') responseId: string): Promise<boolean> {
    return this.results.isReady(responseId);
  }

  @Post('retrieve_inference_output_results')
  @HttpCode(200)
  @Challenged({ in: 'query', pastelId: 'pastelid' })
  @ApiQuery({ name: 'pastelid', type: String })
  @ApiOperation({ summary: 'Fetch the signed result of a request of your own' })
  @ApiOkResponse({ schema: message(InferenceAPIOutputResult) })
  @ErrorAnswers(403, 404)
  retrieve(
    @QueryText('inference_response_id') responseId: string,
    @CallerPastelId() caller: string,
  ): Promise<InferenceAPIOutputResult> {
    return this.results.retrieve(responseId, caller);
  }

  @Post('audit_inference_request_response')
  @HttpCode(200)
  @ApiOperation({ summary: 'The quote of a request of your own, as this supernode knows it' })
  @ApiOkResponse({ schema: message(InferenceAPIUsageResponse) })
  @ErrorAnswers(401, 403, 404, 413, 422, 429, 500)
  auditResponse(@Body() question: AuditBody): Promise<InferenceAPIUsageResponse> {
    return this.results.auditResponse(question);
  }

  @Post('audit_inference_request_result')
  @HttpCode(200)
  @ApiOperation({
    summary: 'The result of a request of your own, as this supernode knows it; cut to 32 characters where it was only announced',
  })
  @ApiOkResponse({ schema: message(InferenceAPIOutputResult) })
  @ErrorAnswers(401, 403, 404, 413, 422, 429, 500)
  auditResult(@Body() question: AuditBody): Promise<InferenceAPIOutputResult> {
    return this.results.auditResult(question);
  }

  @Get('inference_request_state/:inference_request_id')
  @Challenged({ in: 'query' })
  @ApiOperation({ summary: 'Where a request of your own stands, and why' })
  @ApiOkResponse({ schema: statusShown })
  @ErrorAnswers(403, 404)
  state(@Param('inference_request_id') requestId: string, @CallerPastelId() caller: string): Promise<RequestStatus> {
    return this.results.status(requestId, caller);
  }
}
