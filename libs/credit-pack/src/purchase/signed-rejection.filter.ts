import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { MessageRefused } from '#http';
import { CreditPackPurchaseRequest } from '#protocol';
import { QuoteService } from './quote.service.js';

/** A well-formed purchase request whose hash or signature is wrong gets a signed rejection, not an error (credit-packs spec 4.1). */
@Catch(MessageRefused)
export class SignedRejectionFilter implements ExceptionFilter {
  constructor(
    private readonly quotes: QuoteService,
    private readonly host: HttpAdapterHost,
  ) {}

  async catch({ refused, faults }: MessageRefused, context: ArgumentsHost): Promise<void> {
    const rejection = await this.quotes.refuse(refused as CreditPackPurchaseRequest, faults);
    this.host.httpAdapter.reply(context.switchToHttp().getResponse(), rejection, 200);
  }
}
