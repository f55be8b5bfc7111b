import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { CallerPastelId, Challenged, ErrorAnswers, OperatorOnly, PastelIdPipe, QueryText } from '#http';
import { kinds } from '#protocol';
import { TxidPipe } from './pack-txid.pipe.js';
import { balanceShown, messagesShown, ticketShown } from './pack-answers.js';
import { PacksService } from './packs.service.js';
import { TicketRetry } from './ticket-retry.service.js';

const CLEARED = { message: 'Successfully cleared all credit packs from the known bad table.' } as const;
const txid = kinds.txid.shown;

@ApiTags('credit packs')
@Controller()
export class PacksController {
  constructor(
    private readonly packs: PacksService,
    private readonly retry: TicketRetry,
  ) {}

  @Post('get_valid_credit_pack_tickets_for_pastelid')
  @HttpCode(200)
  @Challenged({ in: 'body', pastelId: 'pastelid', body: { pastelid: kinds.pastelId.shown } })
  @ApiOperation({ summary: 'The credit packs that a PastelID may spend, with their balances' })
  @ApiOkResponse({ schema: { type: 'array', items: ticketShown } })
  @ErrorAnswers(413, 503)
  validTickets(@Body('pastelid', PastelIdPipe) pastelId: string) {
    return this.packs.validTicketsFor(pastelId);
  }

  @Post('check_credit_pack_balance')
  @HttpCode(200)
  @Challenged({ in: 'body', body: { credit_pack_ticket_txid: txid } })
  @ApiOperation({ summary: 'What is left of a credit pack, for its owner and those who may spend it' })
  @ApiOkResponse({ schema: balanceShown })
  @ErrorAnswers(403, 404, 413, 503)
  balance(@Body('credit_pack_ticket_txid', TxidPipe) ticketTxid: string, @CallerPastelId() caller: string) {
    return this.packs.balance(ticketTxid, caller);
  }

  @Post('retrieve_credit_pack_ticket_from_purchase_burn_txid')
  @HttpCode(200)
  @Challenged({ in: 'body', body: { purchase_burn_txid: txid } })
  @ApiOperation({ summary: 'The messages in the ticket that a purchase burn has paid for' })
  @ApiOkResponse({ schema: messagesShown('request', 'response', 'confirmation') })
  @ErrorAnswers(404, 413, 503)
  messagesOfBurn(@Body('purchase_burn_txid', TxidPipe) burnTxid: string) {
    return this.packs.messagesOfBurn(burnTxid);
  }

  @Post('get_final_credit_pack_registration_txid_from_credit_purchase_burn_txid')
  @HttpCode(200)
  @Challenged({ in: 'body', body: { purchase_burn_txid: txid } })
  @ApiOperation({ summary: 'Which ticket a purchase burn has paid for' })
  @ApiOkResponse({
    schema: {
      type: 'object',
      required: ['final_credit_pack_registration_txid'],
      properties: { final_credit_pack_registration_txid: txid },
    },
  })
  @ErrorAnswers(404, 413, 503)
  registrationOfBurn(@Body('purchase_burn_txid', TxidPipe) burnTxid: string) {
    return this.packs.registrationOfBurn(burnTxid);
  }

  @Get('get_credit_pack_ticket_from_txid')
  @Challenged({ in: 'query', pastelId: 'pastelid' })
  @ApiOperation({ summary: 'The messages in a ticket' })
  @ApiQuery({ name: 'pastelid', schema: kinds.pastelId.shown })
  @ApiOkResponse({ schema: messagesShown('response', 'confirmation') })
  @ErrorAnswers(404, 503)
  messagesOfTicket(@QueryText('txid', { description: 'Registration txid of the ticket' }) ticketTxid: string) {
    return this.packs.messagesOfTicket(ticketTxid);
  }

  @Post('clear_out_known_bad_credit_pack_table')
  @HttpCode(200)
  @OperatorOnly()
  @ApiOperation({ summary: 'Forget which tickets are known to be bad; each is judged again' })
  @ApiOkResponse({
    schema: { type: 'object', required: ['message'], properties: { message: { type: 'string', enum: [CLEARED.message] } } },
  })
  async forgive() {
    return this.retry.forgive().then(() => CLEARED);
  }
}
