import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { CallerPastelId, Challenged, ErrorAnswers, QueryInteger } from '#http';
import { kinds } from '#protocol';
import {
  MailboxService,
  PAGE_MAX,
  type FirstUserMessageView,
  type TakenUserMessage,
  type UserMessageView,
} from './mailbox.service.js';
import { firstUserMessageList, sendUserMessageBody, takenUserMessage, userMessageList } from './messages.openapi.js';
import { UserMessageInput } from './user-message.input.js';

const Limit = () =>
  QueryInteger('limit', {
    default: 0,
    max: PAGE_MAX,
    description: `At most so many; without limit and offset, the newest ${PAGE_MAX}`,
  });
const Offset = () => QueryInteger('offset', { default: 0, description: 'So many of the oldest are left out' });
const pastelid = {
  name: 'pastelid',
  schema: kinds.pastelId.shown as object,
  description: 'Whose messages; the challenge must be theirs',
};

/** Messages between users, in both dialects (messaging spec 5.4). They travel between supernodes in clear. */
@ApiTags('user messages')
@Controller()
export class UserMessagesController {
  constructor(private readonly mailbox: MailboxService) {}

  @Post('send_user_message')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Send a signed message to another user; it is relayed to the supernodes closest to them. Everybody can read it on its way',
  })
  @Challenged({ in: 'body', pastelId: 'user_message.from_pastelid' })
  @ErrorAnswers(400, 409, 413, 503)
  @ApiBody(sendUserMessageBody)
  @ApiOkResponse(takenUserMessage)
  send(@Body('user_message') message: UserMessageInput): Promise<TakenUserMessage> {
    return this.mailbox.send(message.inOneDialect());
  }

  @Get('get_user_messages')
  @ApiOperation({ summary: 'Messages that a user sent and received, oldest first' })
  @Challenged({ in: 'query', pastelId: 'pastelid' })
  @ApiQuery(pastelid)
  @ApiOkResponse(userMessageList)
  list(@CallerPastelId() caller: string, @Limit() limit: number, @Offset() offset: number): Promise<UserMessageView[]> {
    return this.mailbox.of(caller, { limit, offset });
  }

  @Get('get_user_messages/:pastelid')
  @ApiOperation({ summary: 'The same as `get_user_messages`, in the first dialect' })
  @Challenged({ in: 'query', pastelId: 'pastelid' })
  @ApiParam(pastelid)
  @ApiOkResponse(firstUserMessageList)
  listByPath(
    @CallerPastelId() caller: string,
    @Limit() limit: number,
    @Offset() offset: number,
  ): Promise<FirstUserMessageView[]> {
    return this.mailbox.firstDialectOf(caller, { limit, offset });
  }
}
