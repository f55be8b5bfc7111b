import type { Entity } from '#database';
import { DeferredMessage, MessageDispatch, RejectedMessage } from './inbox.entities.js';
import { Message } from './message.entity.js';
import {
  MessageMetadata,
  MessageReceiverMetadata,
  MessageSenderMetadata,
  MessageSenderReceiverMetadata,
} from './message-metadata.entities.js';

import { UserMessage, UserMessageRelay } from './user-message.entities.js';

export { DispatchService } from './dispatch.service.js';
export { InboxService, type Swept } from './inbox.service.js';
export * from './message-handlers.js';
export { MessageTypes } from './message-types.js';
export { MessagingModule } from './messaging.module.js';
export * from './node-messenger.js';

export { UserMessageRelays } from './user-message.relay.js';

/** For the data source. */
export const messagingEntities: readonly Entity[] = [
  Message,
  MessageMetadata,
  MessageSenderMetadata,
  MessageReceiverMetadata,
  MessageSenderReceiverMetadata,
  RejectedMessage,
  DeferredMessage,
  MessageDispatch,
  UserMessage,
  UserMessageRelay,
];
