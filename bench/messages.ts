import { DataSource } from 'typeorm';
import { InboxService, NodeMessenger } from '#messaging';
import { pooledChecking } from '#protocol';
import type { MasternodeMessage } from '#chain';
import { FakeBus, type FakeNode } from '../libs/messaging/test/fake-network.spec-suite.js';
import { httpOf, messagingOf } from '../libs/messaging/test/harness.spec-suite.js';
import { ManualClock } from '../test/support/manual-clock.js';
import { openDatabases, type BareDriver, type DatabaseName } from './bare-drivers.js';
import { interleaved, median, printTable, quantile, ratios, timed } from './measure.js';

const SENDERS = 5;
const RECEIVER = SENDERS;
/** Messages that one sweep takes in. */
const BATCH = 300;
/** As many as a sweep verifies together. */
const VERIFIED_TOGETHER = 16;
const DAY_MS = 86_400_000;
const KEPT_DAYS = 3;

export interface MessagesBench {
  /** How many messages the full node holds. */
  readonly rows: number;
  readonly rounds: number;
  readonly database: DatabaseName;
}
type Node = Awaited<ReturnType<typeof httpOf>>;

/** How fast a node takes messages in and lists them, with nothing and with much in its tables. */
export async function benchMessages({ rows, rounds, database }: MessagesBench): Promise<void> {
  const clock = new ManualClock();
  const bus = new FakeBus(SENDERS + 1, () => clock.now());
  const receiver = bus.nodes[RECEIVER]!;
  const databases = await openDatabases(database);
  try {
    const urls = { empty: await databases.create('empty_node'), full: await databases.create('full_node') };
    const empty = await httpOf(receiver, { clock, url: urls.empty });
    const full = await httpOf(receiver, { clock, url: urls.full });
    const filling = await timed(() => fill(full.module.get(DataSource), database, rows, clock.now()));
    console.log(`${database}: ${rows.toLocaleString('en')} messages put in place in ${(filling / 1000).toFixed(1)} s`);
    const drivers = { empty: await databases.bare(urls.empty), full: await databases.bare(urls.full) };
    await ingest({ bus, receiver, clock, rounds, rows, empty, full, bare: drivers.empty });
    await latency({ clock, rows, empty, full, bare: drivers.full });
    await Promise.all([empty.close(), full.close(), drivers.empty.close(), drivers.full.close()]);
  } finally {
    await databases.close();
  }
}

async function ingest(given: {
  bus: FakeBus;
  receiver: FakeNode;
  clock: ManualClock;
  rounds: number;
  rows: number;
  empty: Node;
  full: Node;
  bare: BareDriver;
}): Promise<void> {
  const { bus, receiver, clock, rounds, empty, full, bare } = given;
  const senders = await Promise.all(bus.nodes.slice(0, SENDERS).map((node) => messagingOf(node, { clock })));
  const warmUp = 2;
  const batches: MasternodeMessage[][] = [];
  for (let round = 0; round < rounds + warmUp; round++) {
    for (let n = 0; n < BATCH; n++)
      await senders[n % SENDERS]!.get(NodeMessenger).sendTo(
        receiver.signing.pastelId,
        'greeting',
        `round ${round} message ${n} ${'x'.repeat(200)}`,
      );
    batches.push(receiver.inbox.splice(0));
  }
  await Promise.all(senders.map((sender) => sender.close()));

  const sweep =
    ({ module }: Node) =>
    async (round: number) => {
      receiver.inbox.splice(0, Infinity, ...batches[round]!);
      const ms = await timed(async () => {
        const { stored } = await module.get(InboxService).sweep(clock.now());
        if (stored !== BATCH) throw new Error(`${stored} of ${BATCH} messages were stored`);
      });
      return (BATCH * 1000) / ms;
    };
  const words = 'x'.repeat(300);
  const signature = await receiver.signing.sign(words);
  const check = () => pooledChecking.verify(receiver.signing.pastelId, words, signature);
  const floor = async (round: number, withSignature: boolean): Promise<number> => {
    const batch = batches[round]!;
    const ms = await timed(async () => {
      for (let at = 0; at < BATCH; at += VERIFIED_TOGETHER) {
        const some = batch.slice(at, at + VERIFIED_TOGETHER);
        if (withSignature) await Promise.all(some.map(check));
        for (const { id, from, to } of some)
          await bare.insert([
            `${id}${withSignature}`,
            from,
            to,
            from,
            to,
            'greeting',
            words,
            signature,
            clock.now().toISOString(),
          ]);
      }
    });
    return (BATCH * 1000) / ms;
  };
  const candidates = {
    insert: (round: number) => floor(round, false),
    floor: (round: number) => floor(round, true),
    empty: sweep(empty),
    full: sweep(full),
  };
  const rates = await interleaved(rounds + warmUp, candidates);
  for (const values of Object.values(rates)) values.splice(0, warmUp);

  const row = (name: string, values: number[]) => [
    name,
    median(values),
    quantile(values, 1),
    median(ratios(values, rates.insert)),
    median(ratios(values, rates.floor)),
    median(ratios(values, rates.empty)),
  ];
  printTable(
    `Taking messages in (${rounds} rounds of ${BATCH})`,
    ['', 'per second', 'best', 'of bare insert', 'of check + insert', 'of empty'],
    [
      row('floor: bare insert', rates.insert),
      row('floor: Ed448 check + bare insert', rates.floor),
      row('a node with nothing stored', rates.empty),
      row(`a node with ${given.rows.toLocaleString('en')} stored`, rates.full),
    ],
  );
}

const SHOWN_MAX = 10_000;
async function latency(given: { clock: ManualClock; rows: number; empty: Node; full: Node; bare: BareDriver }): Promise<void> {
  const { clock, empty, full, bare } = given;
  const cases = [
    { name: 'newest 100', query: 'limit=100', minutes: 100, type: undefined, limit: 100, offset: 0, rounds: 60 },
    {
      name: '100 of a rare type',
      query: 'limit=100&last_k_minutes=4000&message_type=rare',
      minutes: 4000,
      type: 'rare',
      limit: 100,
      offset: 0,
      rounds: 60,
    },
    {
      name: '100 after 9,900',
      query: 'limit=100&offset=9900',
      minutes: 100,
      type: undefined,
      limit: 100,
      offset: 9900,
      rounds: 40,
    },
    { name: 'of 100 minutes, at most 10,000', query: '', minutes: 100, type: undefined, limit: SHOWN_MAX, offset: 0, rounds: 10 },
  ];
  const get = ({ url }: Node, query: string) => timed(async () => (await fetch(`${url}/get_messages?${query}`)).arrayBuffer());
  const table = [];
  for (const { name, query, minutes, type, limit, offset, rounds } of cases) {
    const since = new Date(clock.now().getTime() - minutes * 60_000).toISOString();
    const sql = `SELECT * FROM messages WHERE timestamp >= ?${type === undefined ? '' : ' AND message_type = ?'}
                 ORDER BY timestamp DESC, id DESC LIMIT ${limit} OFFSET ${offset}`;
    const parameters = type === undefined ? [since] : [since, type];
    const candidates = {
      floor: () => timed(() => bare.select(sql, parameters)),
      empty: () => get(empty, query),
      full: () => get(full, query),
    };
    await interleaved(2, candidates);
    const times = await interleaved(rounds, candidates);
    const [p50, p95] = [median(times.full), quantile(times.full, 0.95)];
    table.push([name, median(times.floor), median(times.empty), p50, p95, median(ratios(times.full, times.floor))]);
  }
  printTable(
    `GET /get_messages over HTTP with ${given.rows.toLocaleString('en')} stored, milliseconds`,
    ['', 'floor: bare select', 'few stored', 'p50', 'p95', 'p50 / floor'],
    table,
  );
}

/** Messages as a network of 500 supernodes leaves them, evenly over the days that they are kept; one in 10,000 is of a rare type. */
async function fill(source: DataSource, database: DatabaseName, rows: number, now: Date): Promise<void> {
  const [first, step] = [now.getTime() - KEPT_DAYS * DAY_MS + 60_000, (KEPT_DAYS * DAY_MS - 120_000) / rows];
  const isSqlite = database === 'SQLite';
  const hash = isSqlite ? 'lower(hex(randomblob(32)))' : `encode(sha256(i::text::bytea), 'hex')`;
  const second = `${first / 1000} + (i * ${step / 1000})`;
  const instant = isSqlite
    ? `strftime('%Y-%m-%dT%H:%M:%S.000Z', ${second}, 'unixepoch')`
    : `to_char(to_timestamp(${second}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS".000Z"')`;
  const node = "substr('0000' || (i % 500), -4)";
  const four = isSqlite ? node : `lpad((i % 500)::text, 4, '0')`;
  const type = `CASE WHEN i % 10000 = 0 THEN 'rare' ELSE 'inference_request_response_announcement_message' END`;
  const body = `'{"message": "${'m'.repeat(400)}", "message_type": "x", "signature": "${'s'.repeat(152)}", "sending_sn_pubkey": "${'p'.repeat(130)}"}'`;
  const numbers = isSqlite
    ? `WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${rows})`
    : `WITH numbers AS (SELECT generate_series(1, ${rows}) AS i)`;
  // A throw-away database may lose what a power cut takes; the cache holds the indexes while they grow.
  const settings = (journal: string, synchronous: string, kibibytes: number) =>
    isSqlite
      ? [`PRAGMA journal_mode = ${journal}`, `PRAGMA synchronous = ${synchronous}`, `PRAGMA cache_size = -${kibibytes}`]
      : [];
  for (const setting of settings('OFF', 'OFF', 1_000_000)) await source.query(setting);
  if (rows > 0)
    await source.query(`${numbers} INSERT INTO messages (pasteld_message_hash, sending_sn_pastelid, receiving_sn_pastelid,
        sending_sn_txid_vout, receiving_sn_txid_vout, message_type, message_body, signature, timestamp)
      SELECT ${hash}, '${'jX'.padEnd(82, 's')}' || ${four}, '${'jX'.padEnd(86, 'r')}', '${'c'.repeat(62)}' || ${four} || '-1',
        '${'d'.repeat(66)}-1', ${type}, ${body}, '${'s'.repeat(152)}', ${instant} FROM numbers`);
  await source.query('ANALYZE');
  for (const setting of settings('WAL', 'NORMAL', 16_000)) await source.query(setting);
}
