import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { kinds } from '#protocol';
import { ErrorAnswers } from './api-answers.js';
import { ChallengeService, type Challenge } from './challenge.service.js';
import { PastelIdPipe } from './parameters.js';

const issued = {
  type: 'object',
  required: ['challenge', 'challenge_id'],
  properties: {
    challenge: { type: 'string', format: 'uuid', description: 'Sign this text, as it stands, with the PastelID' },
    challenge_id: { type: 'string', format: 'uuid', description: 'Send it back beside `challenge` and `challenge_signature`' },
  },
};
const summary = 'Get a challenge to sign, once for each call that wants one';

@ApiTags('challenge')
@Controller()
export class ChallengeController {
  constructor(private readonly challenges: ChallengeService) {}

  @Get('request_challenge/:pastelid')
  @ApiOperation({ summary })
  @ApiParam({ name: 'pastelid', schema: kinds.pastelId.shown })
  @ApiOkResponse({ schema: issued })
  @ErrorAnswers(422, 429, 500)
  byPath(@Param('pastelid', PastelIdPipe) pastelId: string): Promise<Challenge> {
    return this.challenges.issue(pastelId);
  }

  @Post('request_challenge')
  @HttpCode(200)
  @ApiOperation({ summary: `${summary}; the PastelID as a bare JSON string, or in an object` })
  @ApiBody({
    schema: {
      oneOf: [
        { type: 'string', description: 'The PastelID' },
        { type: 'object', required: ['pastelid'], properties: { pastelid: { type: 'string' } } },
      ],
    },
  })
  @ApiOkResponse({ schema: issued })
  @ErrorAnswers(413, 422, 429, 500)
  byBody(@Body(PastelIdPipe) pastelId: string): Promise<Challenge> {
    return this.challenges.issue(pastelId);
  }
}
