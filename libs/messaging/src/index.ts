export { DispatchService } from './dispatch.service.js';
export { InboxService, type Swept } from './inbox.service.js';
export * from './message-handlers.js';
export { MessageTypes } from './message-types.js';
export { MessagingModule } from './messaging.module.js';
export * from './node-messenger.js';
export { messagingEntities } from './messaging.entities.js';
export { UserMessageRelays } from './user-message.relay.js';
