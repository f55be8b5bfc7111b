import { DeferredMessage, MessageDispatch, RejectedMessage } from './inbox.entities.js';
import { Message } from './message.entity.js';
import {
  MessageMetadata,
  MessageReceiverMetadata,
  MessageSenderMetadata,
  MessageSenderReceiverMetadata,
} from './message-metadata.entities.js';

export { DispatchService } from './dispatch.service.js';
export { InboxService, type Swept } from './inbox.service.js';
export * from './message-handlers.js';
export { MessageTypes } from './message-types.js';
export { MessagingModule } from './messaging.module.js';
export * from './node-messenger.js';

/** For the data source. */
export const messagingEntities = [
  Message,
  MessageMetadata,
  MessageSenderMetadata,
  MessageReceiverMetadata,
  MessageSenderReceiverMetadata,
  RejectedMessage,
  DeferredMessage,
  MessageDispatch,
] as const;
