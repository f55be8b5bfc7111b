import { Controller, Get, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBasicAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ErrorAnswers, PathInteger, QueryText } from '#http';
import { POSITION_MAX } from './cursor.rules.js';
import { LogAnswers } from './log-answers.service.js';
import { LogsGuard } from './logs.guard.js';

const MINUTES = { max: 1_000_000, description: 'How old an entry may be' };
const MINUTES_DEFAULT = 5;

const historyContent = {
  'text/html': { schema: { type: 'string' }, example: '<!doctype html>…' },
  'application/json': {
    schema: { type: 'object' },
    example: {
      entries: [{ time: '2026-01-05 12:00:00,123', level: 'INFO', message: '[Bootstrap] Listening on port 7123' }],
      last_position: 4096,
      truncated: false,
    },
  },
} as const;

/** The node's own log, for this machine and the operator (messaging spec 7.2). */
@ApiTags('logs')
@ApiBasicAuth()
@UseGuards(LogsGuard)
@Controller()
export class LogsController {
  constructor(private readonly answers: LogAnswers) {}

  @Get('show_logs/:minutes')
  @ApiOperation({ summary: "The node's log of the last minutes, as a live page or as JSON" })
  @ApiOkResponse({ content: historyContent })
  @ErrorAnswers(401, 422, 429, 500)
  history(
    @PathInteger('minutes', MINUTES) minutes: number,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    return this.answers.history(minutes, request, response);
  }

  @Get('show_logs')
  @ApiOperation({ summary: "The node's log of the last five minutes, as a live page or as JSON" })
  @ApiOkResponse({ content: historyContent })
  @ErrorAnswers(401, 429, 500)
  recent(@Req() request: Request, @Res({ passthrough: true }) response: Response) {
    return this.answers.history(MINUTES_DEFAULT, request, response);
  }

  @Get('show_logs_incremental/:minutes/:last_position')
  @ApiOperation({ summary: 'What was logged since a position that an earlier answer gave; 0 begins' })
  @ApiOkResponse({
    schema: {
      type: 'object',
      example: { logs: '<span style="color: #ece2d0;">2026-01-05 12:00:00,123</span> - …', last_position: 4096 },
    },
  })
  @ErrorAnswers(401, 422, 429, 500)
  increment(
    @PathInteger('minutes', MINUTES) minutes: number,
    @PathInteger('last_position', { max: POSITION_MAX, description: 'As the last answer gave it' }) position: number,
    @QueryText('form', { default: 'html', maxLength: 16, description: '`lines`: pieces of text with their kind instead of HTML' })
    form: string,
    @Res({ passthrough: true }) response: Response,
  ) {
    return this.answers.increment(minutes, position, form, response);
  }
}
