import { Module } from '@nestjs/common';
import { CountersRepository } from './counters.repository.js';
import { DispatchService } from './dispatch.service.js';
import { EnvelopeCodec } from './envelope-codec.js';
import { InboxJudge } from './inbox.judge.js';
import { InboxService } from './inbox.service.js';
import { InboxStore } from './inbox.store.js';
import { MailboxService } from './mailbox.service.js';
import { MessageHandlers } from './message-handlers.js';
import { MessageLogService } from './message-log.service.js';
import { MessagesRepository } from './messages.repository.js';
import { MessagesScheduler } from './messages.scheduler.js';
import { NodeMessagesController } from './node-messages.controller.js';
import { NodeMessenger } from './node-messenger.js';
import { RetentionRepository } from './retention.repository.js';
import { RetentionService } from './retention.service.js';
import { SignedMessenger } from './signed-messenger.js';
import { UserMessageRelays } from './user-message.relay.js';
import { UserMessagesController } from './user-messages.controller.js';
import { UserMessagesRepository } from './user-messages.repository.js';
import { UserMessageHandler, UserMessageKeeper, UserMessagesService } from './user-messages.service.js';
import { WasmZstd, Zstd } from './zstd.js';

/** Signed messages between supernodes, and between users through them. The scheduler needs `ScheduleModule.forRoot()` at the root. */
@Module({
  controllers: [NodeMessagesController, UserMessagesController],
  providers: [
    { provide: Zstd, useClass: WasmZstd },
    { provide: NodeMessenger, useClass: SignedMessenger },
    EnvelopeCodec,
    MessageHandlers,
    MessagesRepository,
    CountersRepository,
    InboxJudge,
    InboxStore,
    InboxService,
    DispatchService,
    MessageLogService,
    UserMessagesRepository,
    UserMessageKeeper,
    UserMessageRelays,
    UserMessagesService,
    UserMessageHandler,
    MailboxService,
    RetentionRepository,
    RetentionService,
    MessagesScheduler,
  ],
  exports: [NodeMessenger, MessageHandlers, InboxService, DispatchService, UserMessageRelays],
})
export class MessagingModule {}
