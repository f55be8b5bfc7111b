import { afterEach, describe, expect, test } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { FakeBus } from '../test/fake-network.js';
import { emptyDatabase, HandClock, messagingOf, type Database } from '../test/harness.js';
import { DispatchService } from './dispatch.service.js';
import { InboxService } from './inbox.service.js';
import { MessageHandler, MessageHandlers, type ReceivedMessage } from './message-handlers.js';
import { Message } from './message.entity.js';
import { NodeMessenger } from './node-messenger.js';

const clock = new HandClock();
const opened: TestingModule[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((module) => module.close()));
});
const nodeOf = async (bus: FakeBus, index: number, url = 'sqlite::memory:'): Promise<TestingModule> => {
  const module = await messagingOf(bus.nodes[index]!, { url, clock });
  await module.init();
  opened.push(module);
  return module;
};

class Recorder extends MessageHandler {
  readonly handled: ReceivedMessage[] = [];
  constructor(readonly types: readonly string[]) {
    super();
  }
  override async handle(message: ReceivedMessage): Promise<void> {
    this.handled.push(message);
  }
}

describe.each<Database>(['sqlite', 'postgres'])('messages between supernodes on %s', (which) => {
  test('a broadcast reaches each of the others exactly once, and their handlers', async () => {
    const bus = new FakeBus(5, () => clock.now());
    const sender = await nodeOf(bus, 0);
    const { deliveries } = await sender.get(NodeMessenger).broadcast('greeting', 'héllo "world"\n');
    expect(deliveries.map(({ sent }) => sent)).toEqual([true, true, true, true]);
    expect(bus.nodes.map(({ inbox }) => inbox.length)).toEqual([0, 1, 1, 1, 1]);

    const receiver = await nodeOf(bus, 3, await emptyDatabase(which));
    const recorder = new Recorder(['greeting']);
    receiver.get(MessageHandlers).register(recorder);
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({
      stored: 1,
      rejected: 0,
      deferred: 0,
      failed: 0,
      left: 0,
    });
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({
      stored: 0,
      rejected: 0,
      deferred: 0,
      failed: 0,
      left: 0,
    });
    expect(await receiver.get(DispatchService).sweep(clock.now())).toBe(1);
    expect(await receiver.get(DispatchService).sweep(clock.now())).toBe(0);
    expect(recorder.handled).toMatchObject([
      { type: 'greeting', text: 'héllo "world"\n', senderPastelId: bus.nodes[0]!.signing.pastelId, sentAt: clock.now() },
    ]);
    expect(await receiver.get(DataSource).manager.count(Message)).toBe(1);
  });
});
