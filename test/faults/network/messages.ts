import assert from 'node:assert/strict';
import type { TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import type { MasternodeMessage } from '#chain';
import {
  InboxService,
  MessageHandler,
  MessageHandlers,
  NodeMessenger,
  UserMessageRelays,
  type ReceivedMessage,
} from '#messaging';
import { byDistanceTo } from '#protocol';
import { challenged, get, post } from '../../../libs/messaging/test/caller.spec-suite.js';
import { FakeBus } from '../../../libs/messaging/test/fake-network.spec-suite.js';
import { httpOf, LogLines, messagingOf } from '../../../libs/messaging/test/harness.spec-suite.js';
import { ManualClock } from '../../support/manual-clock.js';
import { drawnSigning } from '../../support/drawn-signing.js';
import { pick, seeded, shuffled, type Engine } from '../contract.js';

const NODES = 5;
const COPIES_MAX = 5;
const GREETING = 'greeting';
const GREETINGS_MAX = 6;
const WORDS_MAX = 3;
const SECONDS_LATE_MAX = 30;
/** User messages that were not delivered are tried again after these pauses at the latest. */
const PAUSE_MS = 3_600_000;
const ROUNDS = 6;
/** So many supernodes, those closest to its recipient, hold a user message. */
const RELAYS = 3;

class Listener extends MessageHandler {
  override readonly types = [GREETING];
  readonly heard: ReceivedMessage[] = [];
  override async handle(message: ReceivedMessage): Promise<void> {
    this.heard.push(message);
  }
}

/** Supernodes that have messaging and nothing else, on a bus whose deliveries are ours. */
export class Exchange {
  readonly clock = new ManualClock();
  readonly bus = new FakeBus(NODES, () => this.clock.now());
  readonly nodes: { readonly module: TestingModule; readonly url: string; close(): Promise<void> }[] = [];
  /** On PostgreSQL the first node is two processes. */
  readonly processes: TestingModule[] = [];
  readonly listener = new Listener();
  private second: TestingModule | undefined;

  static async open(engine: Engine): Promise<Exchange> {
    const exchange = new Exchange();
    const { bus, clock, nodes, listener } = exchange;
    for (const node of bus.nodes) {
      const url = await engine.newDatabase();
      nodes.push(await httpOf(node, { clock, url }));
      if (node !== bus.nodes[0]) continue;
      exchange.processes.push(nodes[0]!.module);
      if (engine.name === 'PostgreSQL') exchange.processes.push((exchange.second = await messagingOf(node, { clock, url })));
    }
    for (const { module } of nodes) module.useLogger(new LogLines());
    for (const module of exchange.processes) module.get(MessageHandlers).register(listener);
    return exchange;
  }
  /** What is in the inboxes now, which are empty then: pasteld lists everything for ever, but these are only to be brought. */
  taken(): MasternodeMessage[][] {
    return this.bus.nodes.map(({ inbox }) => inbox.splice(0));
  }
  async sweep(index: number): Promise<void> {
    const modules = index === 0 ? this.processes : [this.nodes[index]!.module];
    await Promise.all(modules.map((module) => module.get(InboxService).sweep(this.clock.now())));
  }
  rows(index: number) {
    return this.nodes[index]!.module.get(DataSource).manager;
  }
  async close(): Promise<void> {
    await this.second?.close();
    await Promise.all(this.nodes.map((node) => node.close()));
  }
}

interface Counts {
  readonly total: number;
  readonly bySender: Readonly<Record<string, readonly [messages: number, bytes: number]>>;
  readonly received: readonly [messages: number, bytes: number];
}
type Row = Record<string, string | number>;

/** As the statistics have it. */
async function countsAt(exchange: Exchange): Promise<Counts> {
  const manager = exchange.rows(0);
  const [totals] = await manager.find<Row>('MessageMetadata');
  const senders = await manager.find<Row>('MessageSenderMetadata');
  const pairs = await manager.find<Row>('MessageSenderReceiverMetadata');
  const [receiver] = await manager.find<Row>('MessageReceiverMetadata');
  const bySender = Object.fromEntries(
    senders.map((row) => [
      String(row['sending_sn_pastelid']),
      [Number(row['total_messages_sent']), Number(row['total_data_sent_bytes'])] as const,
    ]),
  );
  // The tables say the same.
  const byPair = pairs.map((row) => [
    String(row['sending_sn_pastelid']),
    [Number(row['total_messages']), Number(row['total_data_bytes'])],
  ]);
  assert.deepEqual(Object.fromEntries(byPair), bySender);
  return {
    total: Number(totals?.['total_messages'] ?? 0),
    bySender,
    received: [Number(receiver?.['total_messages_received'] ?? 0), Number(receiver?.['total_data_received_bytes'] ?? 0)],
  };
}
/** As the stored messages have it. */
async function recounted(exchange: Exchange): Promise<Counts> {
  const rows = await exchange.rows(0).find<Row>('Message');
  const bySender: Record<string, [number, number]> = {};
  let bytes = 0;
  for (const row of rows) {
    const size = Buffer.byteLength(String(row['message_body']));
    const own = (bySender[String(row['sending_sn_pastelid'])] ??= [0, 0]);
    own[0]++;
    own[1] += size;
    bytes += size;
  }
  return { total: rows.length, bySender, received: [rows.length, bytes] };
}

/** Envelopes of several senders: each is stored once, handed to its handler, and counted once, in whatever order they come. */
export async function envelopes(exchange: Exchange, seed: number): Promise<void> {
  const chance = seeded(seed);
  const { bus, clock, nodes, listener } = exchange;
  exchange.taken();
  listener.heard.length = 0;
  const said: string[] = [];
  for (let from = 1; from < NODES; from++)
    for (let n = Math.floor(chance() * GREETINGS_MAX); n >= 0; n--) {
      const text = `${seed} ${from} ${n} ${'ä'.repeat(Math.floor(chance() * 50))}`;
      said.push(text);
      const deliveries = await nodes[from]!.module.get(NodeMessenger).sendTo(bus.nodes[0]!.signing.pastelId, GREETING, text);
      assert.ok(deliveries.deliveries.every(({ sent }) => sent));
      if (chance() < 0.3) clock.advance(1_000);
    }
  const [sent] = exchange.taken();
  assert.equal(sent!.length, said.length);
  const copies = shuffled(
    chance,
    sent!.flatMap((item) => Array.from({ length: 1 + Math.floor(chance() * COPIES_MAX) }, () => item)),
  );
  const { inbox } = bus.nodes[0]!;
  const shy = pick(chance, bus.nodes.slice(1)).supernode.outpoint;
  while (copies.length > 0) {
    // pasteld forgets when it starts anew, so that the same ones come again later.
    if (chance() < 0.3) inbox.splice(0);
    inbox.push(...copies.splice(0, 1 + Math.floor(chance() * 10)));
    if (chance() < 0.2) bus.unlisted.add(shy);
    else bus.unlisted.delete(shy);
    clock.advance(Math.floor(chance() * SECONDS_LATE_MAX) * 1_000);
    await exchange.sweep(0);
  }
  // Whatever came while its sender was not listed.
  bus.unlisted.clear();
  inbox.push(...sent!);
  await exchange.sweep(0);
  assert.deepEqual(listener.heard.map(({ text }) => text).sort(), [...said].sort());
  assert.deepEqual(await countsAt(exchange), await recounted(exchange));
  const stored = new Set((await exchange.rows(0).find<Row>('Message')).map((row) => row['pasteld_message_hash']));
  assert.ok(sent!.every(({ id }) => stored.has(id)));
}

type Words = { readonly id: string; readonly message_body: string; readonly from_pastelid: string; readonly to_pastelid: string };

const uuidOf = (chance: () => number): string => {
  const digits = Array.from({ length: 32 }, () => Math.floor(chance() * 16).toString(16));
  [digits[12], digits[16]] = ['4', '8'];
  return digits.join('').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/** A user brings each message to several supernodes, again and again; those relay it, in any order: everybody holds it once. */
export async function userMessages(exchange: Exchange, seed: number): Promise<void> {
  const chance = seeded(seed);
  const { bus, clock, nodes } = exchange;
  exchange.taken();
  const [alice, bob] = [drawnSigning(chance), drawnSigning(chance)];
  const words: Words[] = Array.from({ length: 1 + Math.floor(chance() * WORDS_MAX) }, (_, n) => ({
    id: uuidOf(chance),
    from_pastelid: alice.pastelId,
    to_pastelid: bob.pastelId,
    message_body: `${seed} ${n} grüße`,
  }));
  const takers = new Map<Words, Set<number>>(words.map((word) => [word, new Set()]));
  const bring = async (word: Words, index: number): Promise<void> => {
    takers.get(word)!.add(index);
    const { url } = nodes[index]!;
    const user_message = { ...word, message_signature: await alice.sign(word.message_body) };
    const { status, body } = await post(`${url}/send_user_message`, { user_message, ...(await challenged(url, alice)) });
    assert.equal(status, 200, JSON.stringify(body));
  };
  const brought = shuffled(
    chance,
    words.flatMap((word) => Array.from({ length: 1 + Math.floor(chance() * COPIES_MAX) }, () => word)),
  );
  const unreachable = chance() < 0.5 ? pick(chance, bus.nodes) : undefined;
  if (unreachable) bus.unreachable.add(unreachable.supernode.pubkey!);
  if (chance() < 0.5) await Promise.all(brought.map((word) => bring(word, Math.floor(chance() * NODES))));
  else for (const word of brought) await bring(word, Math.floor(chance() * NODES));
  const onTheirWay: MasternodeMessage[][] = bus.nodes.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    if (round === 2) bus.unreachable.clear();
    for (const { module } of nodes) await module.get(UserMessageRelays).sweep(clock.now());
    for (const [index, items] of exchange.taken().entries()) onTheirWay[index]!.push(...items);
    for (const [index, { inbox }] of bus.nodes.entries()) {
      inbox.splice(0);
      const isLast = round === ROUNDS - 1;
      inbox.push(...shuffled(chance, onTheirWay[index]!).slice(0, isLast ? undefined : Math.floor(chance() * 4)));
      await exchange.sweep(index);
    }
    clock.advance(round < 2 ? 60_000 : PAUSE_MS);
  }
  const closest = byDistanceTo(
    bob.pastelId,
    bus.nodes.map(({ signing }) => signing.pastelId),
  ).slice(0, RELAYS);
  for (const [index, { url }] of nodes.entries()) {
    const isClose = closest.includes(bus.nodes[index]!.signing.pastelId);
    const held = words.filter((word) => isClose || takers.get(word)?.has(index));
    for (const who of [alice, bob]) {
      const query = new URLSearchParams({ pastelid: who.pastelId, ...(await challenged(url, who)) });
      const { body } = await get(`${url}/get_user_messages?${query.toString()}`);
      assert.deepEqual((body as Words[]).map(shownOf).sort(), held.map(shownOf).sort(), `at node ${index}`);
    }
  }
  assert.deepEqual(await countsAt(exchange), await recounted(exchange));
}
const shownOf = ({ id, message_body }: Words): string => `${id} ${message_body}`;
