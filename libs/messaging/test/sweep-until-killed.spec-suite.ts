import 'reflect-metadata';
import { appendFileSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { MasternodeMessage } from '#chain';
import { openDataSource, Transactions } from '#database';
import { pooledChecking } from '#protocol';
import { CountersRepository } from '../src/counters.repository.js';
import { DispatchService } from '../src/dispatch.service.js';
import { EnvelopeCodec } from '../src/envelope-codec.js';
import { InboxJudge } from '../src/inbox.judge.js';
import { InboxService } from '../src/inbox.service.js';
import { InboxStore } from '../src/inbox.store.js';
import { messagingEntities } from '../src/messaging.entities.js';
import { MessageHandler, MessageHandlers, type ReceivedMessage } from '../src/message-handlers.js';
import { MessagesRepository } from '../src/messages.repository.js';
import { UserMessagesRepository } from '../src/user-messages.repository.js';
import { UserMessageHandler, UserMessageKeeper } from '../src/user-messages.service.js';
import { WasmZstd } from '../src/zstd.js';
import { FakeBus } from './fake-network.spec-suite.js';

// A process that sweeps an inbox once, and kills itself on the way where it is told to. Run as a script.

/** What the process is told, as JSON on its standard input. Until then it waits, loaded. */
export interface SweepOrder {
  readonly databaseUrl: string;
  /** JSON of an {@link InboxFile}. */
  readonly inboxFile: string;
  /** How many of the items have arrived. */
  readonly arrived: number;
  /** The ids of handled messages are noted here, a line each. */
  readonly handledFile: string;
  readonly now: string;
  /** The process kills itself before this statement of the sweep; never, when absent. */
  readonly killBeforeStatement?: number;
}
/** How many supernodes there are, which of them the process is, and what arrives there. */
export interface InboxFile {
  readonly nodes: number;
  readonly receiver: number;
  readonly items: readonly MasternodeMessage[];
}

class Note extends MessageHandler {
  override readonly types = ['greeting'];
  constructor(private readonly file: string) {
    super();
  }
  override async handle({ id }: ReceivedMessage): Promise<void> {
    appendFileSync(this.file, `${id}\n`);
  }
}

const order = JSON.parse(await text(process.stdin)) as SweepOrder;
const inbox = JSON.parse(readFileSync(order.inboxFile, 'utf8')) as InboxFile;
const now = new Date(order.now);
const { network, inbox: arrived } = new FakeBus(inbox.nodes, () => now).nodes[inbox.receiver]!;
arrived.push(...inbox.items.slice(0, order.arrived));

const source = await openDataSource(order.databaseUrl, messagingEntities, 'synchronize');
const transactions = new Transactions(source);
const messages = new MessagesRepository(transactions);
const handlers = new MessageHandlers();
handlers.register(new Note(order.handledFile));
const keeper = new UserMessageKeeper(transactions, new UserMessagesRepository(transactions), pooledChecking);
handlers.register(new UserMessageHandler(handlers, keeper));
const service = new InboxService(
  network,
  new InboxJudge(new EnvelopeCodec(new WasmZstd()), pooledChecking),
  new InboxStore(transactions, messages, new CountersRepository(), handlers),
  messages,
  new DispatchService(transactions, messages, handlers),
  { obsoleteAfterDays: 3, userMessagesKeptDays: 90, pollSeconds: 5, audience: 4 },
);

let statements = 0;
source.logger.logQuery = () => {
  statements++;
  // Not an exit: no handler runs, no transaction is closed, no buffer is flushed.
  if (statements === order.killBeforeStatement) process.kill(process.pid, 'SIGKILL');
};
const swept = await service.sweep(now);
process.stdout.write(JSON.stringify({ statements, ...swept }));
await source.destroy();
