import { Module } from '@nestjs/common';
import { CountersRepository } from './counters.repository.js';
import { DispatchService } from './dispatch.service.js';
import { EnvelopeCodec } from './envelope-codec.js';
import { InboxJudge } from './inbox.judge.js';
import { InboxService } from './inbox.service.js';
import { InboxStore } from './inbox.store.js';
import { MessageHandlers } from './message-handlers.js';
import { MessagesRepository } from './messages.repository.js';
import { MessagesScheduler } from './messages.scheduler.js';
import { NodeMessenger } from './node-messenger.js';
import { SignedMessenger } from './signed-messenger.js';
import { WasmZstd, Zstd } from './zstd.js';

/** Signed messages between supernodes, and between users through them. The scheduler needs `ScheduleModule.forRoot()` at the root. */
@Module({
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
    MessagesScheduler,
  ],
  exports: [NodeMessenger, MessageHandlers, InboxService, DispatchService],
})
export class MessagingModule {}
