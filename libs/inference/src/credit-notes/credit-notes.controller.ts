import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiProperty, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { CallerPastelId, Challenged, describe, ErrorAnswers } from '#http';
import { CreditNote, kinds, type PythonNumber } from '#protocol';
import { RedemptionService } from './redemption.service.js';

export class RedemptionBody {
  @ApiProperty({ ...(kinds.uuid.shown as object), description: 'A quoted request that names its note in `credit_note_id`' })
  @Matches(new RegExp(kinds.uuid.shown.pattern!), { message: 'inference_request_id should be a UUID' })
  inference_request_id!: string;
}
export class Redemption extends RedemptionBody {
  @ApiProperty(kinds.uuid.shown as object) credit_note_id!: string;
}

/** What is left of a note, in credits. */
interface Balance {
  readonly credit_note_id: string;
  readonly credits_open: PythonNumber;
  readonly credits_held: PythonNumber;
  readonly credits_redeemed: PythonNumber;
}
const amount = { type: 'number', example: 1.2 };
const balance = {
  type: 'object',
  properties: { credit_note_id: kinds.uuid.shown, credits_open: amount, credits_held: amount, credits_redeemed: amount },
};
const notesShown = {
  type: 'object',
  properties: {
    credit_notes: { type: 'array', items: { $ref: getSchemaPath(describe(CreditNote)) } },
    balances: { type: 'array', items: balance },
  },
};

@ApiTags('inference')
@ApiExtraModels(describe(CreditNote))
@Controller()
export class CreditNotesController {
  constructor(private readonly redemptions: RedemptionService) {}

  @Get('credit_notes')
  @Challenged({ in: 'query' })
  @ApiOperation({
    summary: 'What this supernode owes you: signed notes for credits that were burned and not served, and what is left of them',
  })
  @ApiOkResponse({ schema: notesShown })
  async notes(@CallerPastelId() caller: string): Promise<{ credit_notes: CreditNote[]; balances: Balance[] }> {
    const found = await this.redemptions.balancesOf(caller);
    return {
      credit_notes: found.map(({ note }) => note),
      balances: found.map(({ note, ...left }) => ({ credit_note_id: note.credit_note_id, ...left })),
    };
  }

  @Post('redeem_credit_note')
  @HttpCode(200)
  @Challenged({ in: 'body', dto: RedemptionBody })
  @ApiOperation({
    summary: 'Accept the quote of a request that is paid from your credit note; it then runs by itself, and nothing is burned',
  })
  @ApiOkResponse({ type: Redemption })
  @ErrorAnswers(403, 404, 409, 413)
  redeem(@Body() { inference_request_id }: RedemptionBody, @CallerPastelId() caller: string): Promise<Redemption> {
    return this.redemptions.redeem(inference_request_id, caller);
  }
}
