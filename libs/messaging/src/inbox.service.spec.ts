import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { MessagingSettings } from '#config';
import { testDatabases } from '../../../test/support/databases.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { bomb, frameOfRuns } from '../test/bomb.spec-suite.js';
import { FakeBus } from '../test/fake-network.spec-suite.js';
import { LogLines, messagingOf, type Options } from '../test/harness.spec-suite.js';
import { CountersRepository } from './counters.repository.js';
import { EnvelopeCodec } from './envelope-codec.js';
import { CONTENT_BYTES_MAX } from './envelope.rules.js';
import { DeferredMessage, MessageDispatch, RejectedMessage } from './inbox.entities.js';
import { DEFERRED_MAX_MS } from './inbox.rules.js';
import { InboxService, type Swept } from './inbox.service.js';
import { MessageHandler, MessageHandlers, type ReceivedMessage } from './message-handlers.js';
import { Message } from './message.entity.js';
import {
  MessageMetadata,
  MessageReceiverMetadata,
  MessageSenderMetadata,
  MessageSenderReceiverMetadata,
} from './message-metadata.entities.js';
import { MessagesRepository } from './messages.repository.js';
import { NodeMessenger } from './node-messenger.js';
import { RetentionService } from './retention.service.js';
import { WasmZstd } from './zstd.js';

const HOUR = 3_600_000;
const opened: TestingModule[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(opened.splice(0).map((module) => module.close()));
});
const nodeOf = async (bus: FakeBus, index: number, options: Options): Promise<TestingModule> => {
  const module = await messagingOf(bus.nodes[index]!, options);
  opened.push(module);
  return module;
};
const codec = new EnvelopeCodec(new WasmZstd());
/** A well-made message as it stands in the inbox. */
const wrapped = async (
  bus: FakeBus,
  from: number,
  message: string,
  changes: { signedBy?: number; pubkey?: string } = {},
): Promise<string> => {
  const signature = await bus.nodes[changes.signedBy ?? from]!.signing.sign(message);
  const sending_sn_pubkey = changes.pubkey ?? bus.nodes[from]!.supernode.pubkey!;
  return (await codec.wrap({ message, message_type: 'greeting', signature, sending_sn_pubkey })).base64;
};
const nothing: Swept = { stored: 0, handled: 0, rejected: 0, deferred: 0, failed: 0, left: 0 };
const rows = (module: TestingModule) => module.get(DataSource).manager;

class Recorder extends MessageHandler {
  override readonly types = ['greeting'];
  readonly handled: ReceivedMessage[] = [];
  failures = 0;
  override async handle(message: ReceivedMessage): Promise<void> {
    if (this.failures-- > 0) throw new Error('not today');
    this.handled.push(message);
  }
}
const recorderOn = (module: TestingModule): Recorder => {
  const recorder = new Recorder();
  module.get(MessageHandlers).register(recorder);
  return recorder;
};
const seeded = (seed: number) => () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
const shuffled = <T>(items: readonly T[], chance: () => number): T[] =>
  items
    .map((item) => ({ item, at: chance() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** Every counter against a plain recount of what was sent. */
async function expectExactCounters(
  module: TestingModule,
  bus: FakeBus,
  receiver: number,
  sent: { from: number; bytes: number }[],
): Promise<void> {
  const senders = [...new Set(sent.map(({ from }) => from))];
  const sum = (items: { bytes: number }[]) => items.reduce((total, { bytes }) => total + bytes, 0);
  expect(await rows(module).findBy(MessageMetadata, {})).toMatchObject([
    { total_messages: sent.length, total_senders: senders.length, total_receivers: 1 },
  ]);
  expect(await rows(module).findBy(MessageReceiverMetadata, {})).toMatchObject([
    {
      receiving_sn_pastelid: bus.nodes[receiver]!.signing.pastelId,
      total_messages_received: sent.length,
      total_data_received_bytes: sum(sent),
    },
  ]);
  expect(await rows(module).count(MessageSenderMetadata)).toBe(senders.length);
  for (const from of senders) {
    const own = sent.filter((one) => one.from === from);
    const { signing, supernode } = bus.nodes[from]!;
    expect(await rows(module).findBy(MessageSenderMetadata, { sending_sn_pastelid: signing.pastelId })).toMatchObject([
      {
        sending_sn_pubkey: supernode.pubkey,
        sending_sn_txid_vout: supernode.outpoint,
        total_messages_sent: own.length,
        total_data_sent_bytes: sum(own),
      },
    ]);
    expect(await rows(module).findBy(MessageSenderReceiverMetadata, { sending_sn_pastelid: signing.pastelId })).toMatchObject([
      { total_messages: own.length, total_data_bytes: sum(own) },
    ]);
  }
}

describe.each(testDatabases())('messages between supernodes on $name', (database) => {
  test('a broadcast reaches each of the others exactly once, and their handlers', async () => {
    const clock = new ManualClock();
    const bus = new FakeBus(5, () => clock.now());
    const sender = await nodeOf(bus, 0, { clock });
    const { deliveries } = await sender.get(NodeMessenger).broadcast('greeting', 'héllo "world"\n');
    expect(deliveries.map(({ sent }) => sent)).toEqual([true, true, true, true]);
    expect(bus.nodes.map(({ inbox }) => inbox.length)).toEqual([0, 1, 1, 1, 1]);

    const receiver = await nodeOf(bus, 3, { clock, url: await database.url() });
    const { handled } = recorderOn(receiver);
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({ ...nothing, stored: 1, handled: 1 });
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual(nothing);
    expect(handled).toMatchObject([
      { type: 'greeting', text: 'héllo "world"\n', senderPastelId: bus.nodes[0]!.signing.pastelId, sentAt: clock.now() },
    ]);
    expect(await rows(receiver).count(Message)).toBe(1);
    expect(await rows(receiver).count(MessageDispatch)).toBe(0);
  });

  test('1,000 messages from 5 senders, delivered twice and shuffled: 1,000 rows and exact counters', async () => {
    const clock = new ManualClock();
    const bus = new FakeBus(6, () => clock.now());
    const sent: { from: number; bytes: number }[] = [];
    await Promise.all(
      Array.from({ length: 1000 }, async (_, n) => {
        const base64 = await wrapped(bus, n % 5, `message ${n} ${'x'.repeat(n % 97)}`);
        sent.push({ from: n % 5, bytes: (await codec.open(base64)).bytes });
        bus.put(n % 5, 5, base64);
      }),
    );
    bus.nodes[5]!.inbox.splice(0, 1000, ...shuffled([...bus.nodes[5]!.inbox, ...bus.nodes[5]!.inbox], seeded(7)));
    const url = await database.url();
    // Two processes of one supernode share a PostgreSQL; a SQLite database in memory has just one.
    const processes = [
      await nodeOf(bus, 5, { clock, url }),
      ...(database.name === 'PostgreSQL' ? [await nodeOf(bus, 5, { clock, url })] : []),
    ];
    const handled = processes.map((module) => recorderOn(module).handled);
    for (let sweeps = 0; sweeps < 3; sweeps++)
      await Promise.all(processes.flatMap((module) => [0, 1].map(() => module.get(InboxService).sweep(clock.now()))));
    expect(await rows(processes[0]!).count(Message)).toBe(1000);
    await expectExactCounters(processes[0]!, bus, 5, sent);
    expect(new Set(handled.flat().map(({ id }) => id)).size).toBe(1000);
    expect(handled.flat()).toHaveLength(1000);
  }, 120_000);

  test('a poisoned inbox: the good ones arrive, each bad one is logged once with its reason, nothing is inflated', async () => {
    const clock = new ManualClock();
    const bus = new FakeBus(4, () => clock.now());
    const seconds = Math.floor(clock.now().getTime() / 1000);
    for (let n = 0; n < 100; n++) bus.put(n % 2, 2, await wrapped(bus, n % 2, `good ${n}`), seconds - 100 + n);
    const bad: [reason: string, id: string][] = [
      ['not base64', bus.put(0, 2, 'SETFEE 12!', seconds - 99).id],
      ['not a zstd frame', bus.put(0, 2, '50001234', seconds - 98).id],
      ['declares 200000000 bytes', bus.put(0, 2, bomb({ declared: 200_000_000 }), seconds - 97).id],
      ['does not declare', bus.put(0, 2, bomb({}), seconds - 96).id],
      ['damaged', bus.put(0, 2, bomb({ declared: 4096 }), seconds - 95).id],
      ['signature', bus.put(0, 2, await wrapped(bus, 0, 'forged', { signedBy: 1 }), seconds - 94).id],
      ['ahead of the clock', bus.put(0, 2, await wrapped(bus, 0, 'from the future'), seconds + 3600).id],
      ['listed', bus.put(3, 2, await wrapped(bus, 3, 'who am I'), seconds - 93).id],
    ];
    bus.unlisted.add(bus.nodes[3]!.supernode.outpoint);
    const receiver = await nodeOf(bus, 2, { clock, url: await database.url() });
    const log = new LogLines();
    receiver.useLogger(log);
    const before = process.memoryUsage().rss;
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({ ...nothing, stored: 100, rejected: 6, deferred: 2 });
    for (let n = 0; n < 3; n++) expect(await receiver.get(InboxService).sweep(clock.now())).toEqual(nothing);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
    expect(await rows(receiver).count(Message)).toBe(100);
    expect(log.lines).toHaveLength(8);
    for (const [reason, id] of bad) {
      const lines = log.lines.filter((line) => line.includes(id));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain(reason);
    }
    expect(await rows(receiver).count(RejectedMessage)).toBe(6);

    // A process that starts anew judges none of them again.
    const verify = jest.spyOn(MessagesRepository.prototype, 'reject');
    const restarted =
      database.name === 'PostgreSQL'
        ? await nodeOf(bus, 2, { clock, url: (rows(receiver).connection.options as { url: string }).url })
        : receiver;
    expect(await restarted.get(InboxService).sweep(clock.now())).toEqual(nothing);
    expect(verify).not.toHaveBeenCalled();

    clock.advance(DEFERRED_MAX_MS);
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({ ...nothing, stored: 1, rejected: 1 });
    expect(await rows(receiver).count(DeferredMessage)).toBe(0);
  }, 120_000);

  test('a sender who leaves the list and comes back in time is heard', async () => {
    const clock = new ManualClock();
    const bus = new FakeBus(2, () => clock.now());
    bus.put(0, 1, await wrapped(bus, 0, 'I was away'));
    bus.unlisted.add(bus.nodes[0]!.supernode.outpoint);
    const receiver = await nodeOf(bus, 1, { clock, url: await database.url() });
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({ ...nothing, deferred: 1 });
    clock.advance(DEFERRED_MAX_MS - 1000);
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual(nothing);
    bus.unlisted.clear();
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({ ...nothing, stored: 1 });
    expect(await rows(receiver).count(DeferredMessage)).toBe(0);
  });

  test('a clock that is an hour behind for a while loses no message', async () => {
    const clock = new ManualClock();
    const bus = new FakeBus(2, () => new Date('2026-01-05T12:00:00Z'));
    bus.put(0, 1, await wrapped(bus, 0, 'on time'));
    const receiver = await nodeOf(bus, 1, { clock, url: await database.url() });
    clock.set(-3_600_000);
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({ ...nothing, deferred: 1 });
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual(nothing);
    clock.set(3_600_000);
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({ ...nothing, stored: 1 });
  });

  test("a sender's key that differs from the list is logged, not refused; the list's key is stored", async () => {
    const clock = new ManualClock();
    const bus = new FakeBus(2, () => clock.now());
    bus.put(0, 1, await wrapped(bus, 0, 'new key', { pubkey: '04beef' }));
    const receiver = await nodeOf(bus, 1, { clock, url: await database.url() });
    const log = new LogLines();
    receiver.useLogger(log);
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({ ...nothing, stored: 1 });
    expect(log.lines).toEqual([expect.stringContaining('another key')]);
    expect(await rows(receiver).findBy(MessageSenderMetadata, {})).toMatchObject([
      { sending_sn_pubkey: bus.nodes[0]!.supernode.pubkey },
    ]);
  });

  test('cut off at random points, then run again: nothing is lost, nothing is counted twice', async () => {
    const clock = new ManualClock();
    const chance = seeded(42);
    for (let round = 0; round < 3; round++) {
      const bus = new FakeBus(4, () => clock.now());
      const sent: { from: number; bytes: number }[] = [];
      for (let n = 0; n < 40; n++) {
        const base64 = await wrapped(bus, n % 3, `round ${round} message ${n}`);
        sent.push({ from: n % 3, bytes: (await codec.open(base64)).bytes });
        bus.put(n % 3, 3, base64);
      }
      bus.put(0, 3, 'not base64!');
      const receiver = await nodeOf(bus, 3, { clock, url: await database.url() });
      const { handled } = recorderOn(receiver);
      receiver.useLogger(new LogLines());
      let isWell = false;
      let calls = 0;
      const breaking = (target: object, names: readonly string[]): void => {
        for (const name of names) {
          const whole = (target as Record<string, (...given: unknown[]) => Promise<unknown>>)[name]!.bind(target);
          Object.assign(target, {
            [name]: async (...given: unknown[]) => {
              const fate = isWell ? 1 : chance();
              calls++;
              if (fate < 0.1) throw new Error('cut off before');
              const result = await whole(...given);
              if (fate < 0.2) throw new Error('cut off after');
              return result;
            },
          });
        }
      };
      breaking(receiver.get(MessagesRepository), [
        'insert',
        'reject',
        'oweDispatch',
        'claimDispatches',
        'dispatched',
        'received',
      ]);
      breaking(receiver.get(CountersRepository), ['count', 'purgedBefore']);
      for (let n = 0; n < 4; n++)
        await receiver
          .get(InboxService)
          .sweep(clock.now())
          .catch(() => undefined);
      isWell = true;
      expect(calls).toBeGreaterThan(40);
      for (let n = 0; n < 3; n++, clock.advance(600_000)) await receiver.get(InboxService).sweep(clock.now());
      expect(await rows(receiver).count(Message)).toBe(40);
      expect(await rows(receiver).count(RejectedMessage)).toBe(1);
      expect(await rows(receiver).count(MessageDispatch)).toBe(0);
      await expectExactCounters(receiver, bus, 3, sent);
      expect(new Set(handled.map(({ id }) => id)).size).toBe(40);
    }
  }, 120_000);

  test('a handler that fails is called again later, a limited number of times, and holds up nobody', async () => {
    const clock = new ManualClock();
    const bus = new FakeBus(2, () => clock.now());
    const receiver = await nodeOf(bus, 1, { clock, url: await database.url() });
    receiver.useLogger(new LogLines());
    const recorder = recorderOn(receiver);
    recorder.failures = 1;
    bus.put(0, 1, await wrapped(bus, 0, 'first'));
    bus.put(0, 1, await wrapped(bus, 0, 'second'));
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({ ...nothing, stored: 2, handled: 1 });
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual(nothing);
    clock.advance(5000);
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({ ...nothing, handled: 1 });

    recorder.failures = Infinity;
    bus.put(0, 1, await wrapped(bus, 0, 'third'));
    for (let n = 0; n < 30; n++, clock.advance(HOUR)) await receiver.get(InboxService).sweep(clock.now());
    expect(recorder.handled).toHaveLength(2);
    expect(await rows(receiver).findBy(MessageDispatch, {})).toMatchObject([{ attempts: 10, last_error: 'not today' }]);
  });

  test('obsolete messages are purged and do not come back; the counters stay', async () => {
    const clock = new ManualClock();
    const bus = new FakeBus(2, () => clock.now());
    const url = await database.url();
    const receiver = await nodeOf(bus, 1, { clock, url });
    const texts = await Promise.all(['one', 'two', 'three'].map((text) => wrapped(bus, 0, text)));
    const sent = await Promise.all(texts.map(async (text) => ({ from: 0, bytes: (await codec.open(text)).bytes })));
    for (const text of texts.slice(0, 2)) bus.put(0, 1, text);
    bus.put(0, 1, 'no message!');
    await receiver.get(InboxService).sweep(clock.now());
    clock.advance(48 * HOUR);
    bus.put(0, 1, texts[2]!);
    await receiver.get(InboxService).sweep(clock.now());
    clock.advance(25 * HOUR);
    expect(await receiver.get(RetentionService).sweep(clock.now())).toBe(3);
    expect(await receiver.get(RetentionService).sweep(clock.now())).toBe(0);
    expect(await rows(receiver).count(Message)).toBe(1);
    expect(await rows(receiver).count(RejectedMessage)).toBe(0);
    // Not even a longer memory brings back what was purged.
    Object.assign(receiver.get(MessagingSettings), { obsoleteAfterDays: 30 });
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual(nothing);
    await expectExactCounters(receiver, bus, 1, sent);
  });
});

test('a flood of bombs leaves the memory flat', async () => {
  const clock = new ManualClock();
  const bus = new FakeBus(2, () => clock.now());
  const receiver = await nodeOf(bus, 1, { clock });
  receiver.useLogger(new LogLines());
  const seconds = Math.floor(clock.now().getTime() / 1000);
  const largest = frameOfRuns(64, 131_072, CONTENT_BYTES_MAX).toString('base64');
  const bombs = [bomb({ declared: 200_000_000 }), bomb({}), bomb({ declared: 4096 })];
  const flood = async (texts: readonly string[], from: number): Promise<void> => {
    bus.nodes[1]!.inbox.splice(0);
    for (const [n, text] of texts.entries()) bus.put(0, 1, text, seconds - from - n);
    expect(await receiver.get(InboxService).sweep(clock.now())).toEqual({ ...nothing, rejected: texts.length });
  };
  // What is as large as allowed makes the working room; bombs must do with it.
  await flood(Array<string>(16).fill(largest), 0);
  const peak = (): number => process.resourceUsage().maxRSS * 1024;
  const before = peak();
  for (let round = 1; round < 4; round++) await flood([...Array<string[]>(40).fill(bombs).flat(), largest], round * 1000);
  expect(peak() - before).toBeLessThan(100_000_000);
}, 120_000);

describe('sending', () => {
  test('one receiver that fails does not stop the others; each receiver once, oneself never', async () => {
    const clock = new ManualClock();
    const bus = new FakeBus(5, () => clock.now());
    const sender = await nodeOf(bus, 0, { clock });
    sender.useLogger(new LogLines());
    bus.unreachable.add(bus.nodes[2]!.supernode.pubkey!);
    const id = (index: number) => bus.nodes[index]!.signing.pastelId;
    const { deliveries } = await sender
      .get(NodeMessenger)
      .sendToMany('greeting', 'hi', [id(1), id(2), id(1), 'nobody', id(0), id(3)]);
    expect(deliveries).toEqual([
      { pastelId: id(1), sent: true },
      { pastelId: id(2), sent: false, reason: 'Message was not sent' },
      { pastelId: 'nobody', sent: false, reason: 'not a listed supernode' },
      { pastelId: id(0), sent: false, reason: 'this node itself' },
      { pastelId: id(3), sent: true },
    ]);
    expect(bus.nodes.map(({ inbox }) => inbox.length)).toEqual([0, 1, 0, 1, 0]);
  });

  test('two sweeps at once are one', async () => {
    const clock = new ManualClock();
    const bus = new FakeBus(2, () => clock.now());
    const receiver = await nodeOf(bus, 1, { clock });
    bus.put(0, 1, await wrapped(bus, 0, 'once'));
    const [first, second] = await Promise.all([
      receiver.get(InboxService).sweep(clock.now()),
      receiver.get(InboxService).sweep(clock.now()),
    ]);
    expect(first).toBe(second);
    expect(first.stored).toBe(1);
  });
});
