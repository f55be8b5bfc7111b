import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ErrorAnswers, LocalhostOnly, QueryInteger, QueryText } from '#http';
import { ToAll, ToMany, ToOne, type MessageArguments } from './message-arguments.js';
import { messageList, MessageArgument, sendMessageResponse } from './messages.openapi.js';
import { MESSAGES_SHOWN_MAX, MessageLogService, type MessageView, type SendMessageResponse } from './message-log.service.js';

const TEN_YEARS_IN_MINUTES = 5_256_000;

/** Messages between supernodes, for the operator (messaging spec 4.7). */
@ApiTags('messages')
@Controller()
@LocalhostOnly()
@ErrorAnswers(422, 503)
export class NodeMessagesController {
  constructor(private readonly log: MessageLogService) {}

  @Post('send_message')
  @HttpCode(200)
  @ErrorAnswers(413)
  @ApiOperation({ summary: 'Send a message, signed by this node, to one supernode' })
  @MessageArgument('receiving_sn_pastelid')
  @ApiOkResponse(sendMessageResponse('Message sent'))
  send(@ToOne() { text, type, receiver }: MessageArguments): Promise<SendMessageResponse> {
    return this.log.send(text, type, receiver);
  }

  /** Under two names: the second was the original's for some days. */
  @Post(['broadcast_message', 'send_message_to_list_of_sns'])
  @HttpCode(200)
  @ErrorAnswers(413)
  @ApiOperation({ summary: 'Send a message, signed by this node, to the supernodes that are named' })
  @MessageArgument('list_of_receiving_sn_pastelids')
  @ApiOkResponse(sendMessageResponse('Message broadcasted'))
  broadcast(@ToMany() { text, type, receivers }: MessageArguments): Promise<SendMessageResponse> {
    return this.log.broadcast(text, type, receivers);
  }

  @Post('broadcast_message_to_all_sns')
  @HttpCode(200)
  @ErrorAnswers(413)
  @ApiOperation({ summary: 'Send a message, signed by this node, to all other supernodes, or to those that are named' })
  @MessageArgument('list_of_receiving_sn_pastelids', { optional: true })
  @ApiOkResponse(sendMessageResponse('Message broadcasted'))
  broadcastToAll(@ToAll() { text, type, receivers }: MessageArguments): Promise<SendMessageResponse> {
    return this.log.broadcast(text, type, receivers);
  }

  @Get('get_messages')
  @ApiOperation({ summary: 'Messages that other supernodes sent to this one, newest first' })
  @ApiOkResponse(messageList)
  recent(
    @QueryInteger('last_k_minutes', {
      default: 100,
      max: TEN_YEARS_IN_MINUTES,
      description: "How far back, by the sender's clock",
    })
    minutes: number,
    @QueryText('message_type', { default: 'all', maxLength: 200, description: '`all` for every type' }) type: string,
    @QueryInteger('limit', { default: MESSAGES_SHOWN_MAX, min: 1, max: MESSAGES_SHOWN_MAX }) limit: number,
    @QueryInteger('offset', { default: 0 }) offset: number,
  ): Promise<MessageView[]> {
    return this.log.recent(minutes, type, { limit, offset });
  }
}
