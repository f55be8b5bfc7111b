import type { Entity } from '#database';
import { DeferredMessage, MessageDispatch, RejectedMessage } from './inbox.entities.js';
import {
  MessageMetadata,
  MessageReceiverMetadata,
  MessageSenderMetadata,
  MessageSenderReceiverMetadata,
} from './message-metadata.entities.js';
import { Message } from './message.entity.js';
import { UserMessage, UserMessageRelay } from './user-message.entities.js';

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
