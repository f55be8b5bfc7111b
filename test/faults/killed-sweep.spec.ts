import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import Database from 'better-sqlite3';
import { MessageTypes, NodeMessenger } from '#messaging';
import { sha3 } from '#protocol';
import { FakeBus, identityOf } from '../../libs/messaging/test/fake-network.spec-suite.js';
import { messagingOf } from '../../libs/messaging/test/harness.spec-suite.js';
import type { InboxFile, SweepOrder } from '../../libs/messaging/test/sweep-until-killed.spec-suite.js';
import { compileTo } from '../support/compile.js';
import { ManualClock } from '../support/manual-clock.js';

const KILLS = 20;
const RUNS_MAX = 60;
/** Items that arrive before each run. */
const ARRIVALS = 10;
const ITEMS = KILLS * ARRIVALS;
/** About what storing and handling ten messages takes; a kill is drawn from so many statements. */
const STATEMENTS = 120;
const RECEIVER = 3;
/** Longer than an attempt of a killed process is waited for. */
const RUN_EVERY_MS = 180_000;

let compiled: string;
let folder: string;
let next: Sweeper | undefined;
beforeAll(async () => {
  const cache = resolve('node_modules/.cache');
  await mkdir(cache, { recursive: true });
  compiled = await mkdtemp(join(cache, 'processes-'));
  folder = await mkdtemp(join(tmpdir(), 'killed-sweep-'));
  await compileTo(compiled);
}, 60_000);
afterAll(async () => {
  next?.stop();
  await Promise.all([compiled, folder].map((path) => rm(path, { recursive: true, force: true })));
});

const seeded = (seed: number) => () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
const seed = 20_250_101;
const chance = seeded(seed);

type Kind = 'greeting' | 'user message' | 'bad' | 'homeless';
const kindOf = (n: number): Kind => (n % 40 === 17 ? 'bad' : n === 23 ? 'homeless' : n % 5 === 4 ? 'user message' : 'greeting');

/** An inbox as pasteld would hold it, made by sending. */
async function writeInbox(file: string): Promise<Record<Kind, string[]>> {
  const clock = new ManualClock();
  const bus = new FakeBus(RECEIVER + 1, () => clock.now());
  const { inbox, signing: receiver } = bus.nodes[RECEIVER]!;
  const [alice, bob] = [identityOf('alice'), identityOf('bob')];
  const senders: TestingModule[] = [];
  for (const node of bus.nodes.slice(0, RECEIVER)) senders.push(await messagingOf(node, { clock }));
  const ids: Record<Kind, string[]> = { greeting: [], 'user message': [], bad: [], homeless: [] };
  for (let n = 0; n < ITEMS; n++) {
    const kind = kindOf(n);
    const signed = { message: `words ${n}`, message_type: 'user_message', signature: await alice.sign(`words ${n}`) };
    const ends = { from_pastelid: alice.pastelId, to_pastelid: bob.pastelId };
    const [type, text] =
      kind === 'user message' ? [MessageTypes.userMessage, JSON.stringify({ ...signed, ...ends })] : ['greeting', `hello ${n}`];
    if (kind === 'bad') bus.put(0, RECEIVER, `not base64 ${n}`);
    else await senders[n % RECEIVER]!.get(NodeMessenger).sendTo(receiver.pastelId, type, text);
    if (kind === 'homeless') inbox[n] = { ...inbox[n]!, from: `${sha3('nobody')}-0` };
    ids[kind].push(inbox[n]!.id);
    clock.advance(1000);
  }
  await Promise.all(senders.map((sender) => sender.close()));
  await writeFile(file, JSON.stringify({ nodes: RECEIVER + 1, receiver: RECEIVER, items: inbox } satisfies InboxFile));
  return ids;
}

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}
/** A process that is loaded and waits for its order. */
interface Sweeper {
  run(order: SweepOrder): Promise<Ended>;
  stop(): void;
}
function startSweeper(): Sweeper {
  const child = spawn(process.execPath, [join(compiled, 'libs/messaging/test/sweep-until-killed.spec-suite.js')], {
    stdio: 'pipe',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
  const ended = new Promise<Ended>((done, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => {
      if (code === 0 || signal === 'SIGKILL') done({ signal, output });
      else fail(new Error(`The process ended with ${code ?? signal}: ${output}`));
    });
  });
  ended.catch(() => undefined);
  const run = (order: SweepOrder): Promise<Ended> => {
    child.stdin.end(JSON.stringify(order));
    return ended;
  };
  return { run, stop: () => child.kill('SIGKILL') };
}

/** What must be true of the books at any time, also right after a kill. */
function expectTrueBooks(db: Database.Database, handled: ReadonlySet<string>): void {
  const one = (sql: string): unknown => db.prepare(sql).pluck().get();
  const messages = one('SELECT count(*) FROM messages');
  const bytes = one('SELECT coalesce(sum(length(CAST(message_body AS BLOB))), 0) FROM messages');
  expect(one('SELECT coalesce(sum(total_messages), 0) FROM message_metadata')).toBe(messages);
  for (const [table, count, size] of [
    ['message_sender_metadata', 'total_messages_sent', 'total_data_sent_bytes'],
    ['message_receiver_metadata', 'total_messages_received', 'total_data_received_bytes'],
    ['message_sender_receiver_metadata', 'total_messages', 'total_data_bytes'],
  ]) {
    const sums = db
      .prepare(`SELECT coalesce(sum(${count}), 0) AS messages, coalesce(sum(${size}), 0) AS bytes FROM ${table}`)
      .get();
    expect([table, sums]).toEqual([table, { messages, bytes }]);
  }
  const wrong = `SELECT sending_sn_pastelid, count(*) AS n FROM messages GROUP BY 1
                 EXCEPT SELECT sending_sn_pastelid, total_messages_sent FROM message_sender_metadata`;
  expect(db.prepare(wrong).all()).toEqual([]);
  // Each stored greeting was handled, or is still owed to its handler.
  const paid = `SELECT pasteld_message_hash FROM messages WHERE message_type = 'greeting'
                EXCEPT SELECT pasteld_message_hash FROM message_dispatches`;
  expect((db.prepare(paid).pluck().all() as string[]).filter((id) => !handled.has(id))).toEqual([]);
}

test(`killed at ${KILLS} random points of its sweeps (seed ${seed}): nothing is lost, nothing is counted twice`, async () => {
  const inboxFile = join(folder, 'inbox.json');
  const handledFile = join(folder, 'handled.txt');
  const database = join(folder, 'node.sqlite');
  await writeFile(handledFile, '');
  const ids = await writeInbox(inboxFile);
  const start = new ManualClock().now().getTime() + ITEMS * 1000;
  const handledIds = async (): Promise<string[]> => (await readFile(handledFile, 'utf8')).split('\n').slice(0, -1);

  let kills = 0;
  let runs = 0;
  // The next one loads while this one sweeps: loading is what takes the time.
  next = startSweeper();
  const sweep = async (killBeforeStatement?: number): Promise<Ended> => {
    const arrived = Math.min(ITEMS, (runs + 1) * ARRIVALS);
    const now = new Date(start + runs++ * RUN_EVERY_MS).toISOString();
    const order = { databaseUrl: `sqlite:${database}`, inboxFile, handledFile, arrived, now };
    const sweeper = next!;
    next = startSweeper();
    const ended = await sweeper.run(killBeforeStatement === undefined ? order : { ...order, killBeforeStatement });
    const db = new Database(database);
    expectTrueBooks(db, new Set(await handledIds()));
    db.close();
    return ended;
  };
  while (kills < KILLS && runs < RUNS_MAX) if ((await sweep(1 + Math.floor(chance() * STATEMENTS))).signal) kills++;
  expect(kills).toBe(KILLS);
  await sweep();
  const last = await sweep();
  expect(JSON.parse(last.output)).toMatchObject({ stored: 0, handled: 0, rejected: 0, failed: 0, left: 0 });

  const db = new Database(database);
  const column = (sql: string): unknown[] => db.prepare(sql).pluck().all();
  expect(column('SELECT pasteld_message_hash FROM messages').sort()).toEqual([...ids.greeting, ...ids['user message']].sort());
  expect(column('SELECT id FROM rejected_messages').sort()).toEqual(ids.bad.sort());
  expect(column('SELECT id FROM deferred_messages')).toEqual(ids.homeless);
  expect(column('SELECT count(*) FROM message_dispatches')).toEqual([0]);
  expect(column('SELECT message_body FROM user_messages')).toHaveLength(ids['user message'].length);
  db.close();
  const handled = await handledIds();
  expect([...new Set(handled)].sort()).toEqual(ids.greeting.sort());
  // A handler is told again only of the one message that a kill left between its call and the note of it.
  expect(handled.length - ids.greeting.length).toBeLessThanOrEqual(KILLS);
}, 120_000);
