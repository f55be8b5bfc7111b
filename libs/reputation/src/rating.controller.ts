import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ErrorAnswers } from '#http';
import { RatingInput } from './rating.input.js';
import { RatingService, type Updated } from './rating.service.js';

@ApiTags('reputation')
@Controller()
export class RatingController {
  constructor(private readonly ratings: RatingService) {}

  @Post('update_inference_sn_reputation_score')
  @HttpCode(200)
  @ApiOperation({ summary: 'Rate the supernode that ran a request of your own, once; signed, or nothing is stored' })
  @ApiOkResponse({
    schema: {
      type: 'object',
      required: ['is_updated'],
      properties: { is_updated: { type: 'boolean' } },
      example: { is_updated: true },
    },
  })
  @ErrorAnswers(400, 401, 403, 404, 409, 413, 422, 429, 500, 503)
  rate(@Body() rating: RatingInput): Promise<Updated> {
    return this.ratings.rate(rating);
  }
}
