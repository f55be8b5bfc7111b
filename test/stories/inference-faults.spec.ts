import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { waitUntil } from '#client';
import { PackLedger } from '#credit-pack';
import { InferenceSweeps } from '#inference';
import { InferenceAPIOutputResult } from '#protocol';
import { DataSource } from 'typeorm';
import { send } from '../support/http-app.js';
import { InferenceUser, parameters, serve, type Quoted } from '../support/inference-user.js';
import { TestNetwork, type RunningSupernode } from '../support/network.js';

jest.setTimeout(60_000);

/** A burn that the node has not known for so many blocks is given up. */
const DROPPED_AFTER_BLOCKS = 10;
const LEASE_MS = 60_000;

let network: TestNetwork;
let user: InferenceUser;
/** Keeps its books in a file, so that it can be started again. */
let node: RunningSupernode;
const environment = { EXECUTION_SECONDS_MAX: '10' };
const folder = mkdtempSync(join(tmpdir(), 'inference-'));
let copies = 0;
const databaseUrl = (): string => `sqlite:${join(folder, `books-${copies}.sqlite`)}`;

beforeAll(async () => {
  network = await TestNetwork.start({ environment });
  node = network.supernodes[0]!;
  await restart();
  user = await InferenceUser.withPack(network, 1500);
  network.mine(30);
  await network.sweep();
}, 120_000);
afterAll(async () => {
  await network.close();
  rmSync(folder, { recursive: true });
});

async function restart(): Promise<void> {
  await network.stopSupernode(node);
  node = await network.startSupernode(node, { environment, databaseUrl: databaseUrl() });
}
async function moved(before: Awaited<ReturnType<InferenceUser['books']>>) {
  const now = await user.books(node);
  return { held: now.heldTenths - before.heldTenths, burned: now.burnedTenths - before.burnedTenths };
}
const resultsOf = ({ id }: Quoted): Promise<number> =>
  node.app.get(DataSource).getRepository(InferenceAPIOutputResult).countBy({ inference_request_id: id });
/** Clock and blocks move until every result is there. */
const ready = (quotes: readonly Quoted[]): Promise<unknown> =>
  network.until(
    Promise.all(
      quotes.map(({ responseId }) =>
        waitUntil(network, { what: 'a result', timeoutMs: 600_000, everyMs: 1_000 }, async () => {
          const { text } = await send('GET', `${node.url}/check_status_of_inference_request_results/${responseId}`);
          return text === 'true';
        }),
      ),
    ),
  );
async function mineAndSweep(blocks: number): Promise<void> {
  network.mine(blocks);
  network.clock.advance(1_000);
  await network.sweep();
}

describe('a provider that fails', () => {
  const failures = [
    ['refused', 'refused', 1],
    ['unavailable', 'unavailable', 3],
    ['malformed', 'malformed_answer', 2],
    ['stall', 'deadline_exceeded', 1],
    ['deaf', 'deadline_exceeded', 1],
    ['crash', 'refused', 1],
  ] as const;

  test('for good: a signed result says why, and a signed credit note is owed for what was burned', async () => {
    const before = await user.books(node);
    const quotes: Quoted[] = [];
    const burns: string[] = [];
    for (const [sandbox_failure] of failures) quotes.push(await user.quote(node, parameters({ sandbox_failure })));
    for (const quoted of quotes) burns.push(await user.pay(node, quoted));
    await ready(quotes);
    for (const [n, [, code, attempts]] of failures.entries()) {
      const [quoted, burn] = [quotes[n]!, burns[n]!];
      expect(await user.status(node, quoted.id)).toMatchObject({ state: 'FAILED', attempts, burn_txid: burn });
      const [note, ...more] = await user.notesFor(node, burn);
      expect(more).toEqual([]);
      expect(note).toMatchObject({ inference_request_id: quoted.id, requesting_pastelid: user.signing.pastelId });
      expect(note!.credits_owed.text).toBe('1.2');
      const { output, result } = await user.result(node, quoted.responseId);
      expect(output).toEqual({ error: { code, message: expect.any(String), credit_note_id: note!.credit_note_id } });
      expect(JSON.parse(result.inference_result_file_type_strings)).toMatchObject({ output_text: 'json' });
      expect(await resultsOf(quoted)).toBe(1);
    }
    expect(await moved(before)).toEqual({ held: 0, burned: 12 * failures.length });
    // Until the circuit breaker lets requests in again.
    network.clock.advance(600_000);
  });

  test('once, or only lies about what it used: served, and nothing is owed', async () => {
    const before = await user.books(node);
    const once = await user.quote(node, parameters({ sandbox_failure: 'unavailable_once' }));
    const liars = [];
    for (const sandbox_usage of ['missing', 'negative', 'absurd', 'fraction'])
      liars.push(await user.quote(node, parameters({ sandbox_usage })));
    const burns = [];
    for (const quoted of [once, ...liars]) burns.push(await user.pay(node, quoted));
    await ready([once, ...liars]);
    expect(await user.status(node, once.id)).toMatchObject({ state: 'COMPLETED', attempts: 2 });
    for (const { id } of liars)
      expect(await user.status(node, id)).toMatchObject({ state: 'COMPLETED', usage_source: 'estimated' });
    for (const burn of burns) expect(await user.notesFor(node, burn)).toEqual([]);
    expect(await moved(before)).toEqual({ held: 0, burned: 60 });
  });
});

describe('a burn that the chain takes back', () => {
  async function servedUnmined(): Promise<{ quoted: Quoted; txid: string; hex: string }> {
    const quoted = await user.quote(node);
    const txid = await user.pay(node, quoted);
    const hex = (await network.user.rpc.call('getrawtransaction', [txid, 0])).text;
    await serve(node);
    expect((await user.status(node, quoted.id)).state).toBe('COMPLETED');
    return { quoted, txid, hex };
  }

  test('dropped from the mempool after it was served: the credits stay spent, then held, until it is mined after all', async () => {
    await mineAndSweep(1);
    const before = await user.books(node);
    const { txid, hex } = await servedUnmined();
    expect(network.devnet.controls.dropTransaction(txid)).toBe(true);
    await mineAndSweep(DROPPED_AFTER_BLOCKS - 1);
    expect(await moved(before)).toEqual({ held: 0, burned: 12 });
    await mineAndSweep(1);
    expect(await moved(before)).toEqual({ held: 12, burned: 0 });
    await network.user.rpc.call('sendrawtransaction', [hex]);
    await mineAndSweep(1);
    expect(await moved(before)).toEqual({ held: 0, burned: 12 });
  });

  test('double-spent after it was served: never given back', async () => {
    await mineAndSweep(1);
    const before = await user.books(node);
    const { txid } = await servedUnmined();
    network.devnet.controls.doubleSpend(txid);
    await mineAndSweep(DROPPED_AFTER_BLOCKS);
    expect(await moved(before)).toEqual({ held: 12, burned: 0 });
    await mineAndSweep(30);
    expect(await moved(before)).toEqual({ held: 12, burned: 0 });
    expect((await user.books(node)).availableTenths).toBe(before.availableTenths - 12);
  });

  test('named, but nobody has ever seen it: nothing runs, and the hold ends with the quote', async () => {
    await mineAndSweep(1);
    const before = await user.books(node);
    const quoted = await user.quote(node);
    const txid = await user.burn(quoted.tenths);
    network.devnet.controls.dropTransaction(txid);
    expect((await user.confirm(node, quoted.id, txid)).status).toBe(200);
    await serve(node);
    expect((await user.status(node, quoted.id)).state).toBe('QUOTED');
    expect(await moved(before)).toEqual({ held: 12, burned: 0 });
    await mineAndSweep(quoted.lastHeight - network.height + 6);
    expect((await user.status(node, quoted.id)).state).toBe('EXPIRED');
    expect(await moved(before)).toEqual({ held: 0, burned: 0 });
  });

  test('a reorganisation moves it, makes it wait, takes it away: spent, spent, held', async () => {
    await mineAndSweep(1);
    const before = await user.books(node);
    const credits = (await user.balance(network.supernodes[1]!)).credits;
    const { txid } = await servedUnmined();
    await mineAndSweep(2);
    network.devnet.controls.reorganise(2);
    await mineAndSweep(1);
    expect(await moved(before)).toEqual({ held: 0, burned: 12 });
    for (const supernode of network.supernodes.slice(0, -1))
      expect((await user.balance(supernode)).credits).toBeCloseTo(credits - 1.2, 5);
    network.devnet.controls.reorganise(4, { keepWaiting: true });
    network.clock.advance(1_000);
    await network.sweep();
    expect((await network.user.chain.transaction(txid))!.mined).toBeUndefined();
    expect(await moved(before)).toEqual({ held: 0, burned: 12 });
    await mineAndSweep(1);
    expect(await moved(before)).toEqual({ held: 0, burned: 12 });
    network.devnet.controls.reorganise(2, { drop: [txid] });
    await mineAndSweep(DROPPED_AFTER_BLOCKS + 1);
    expect(await moved(before)).toEqual({ held: 12, burned: 0 });
  });
});

describe('a supernode whose pasteld is away', () => {
  /** The clock moves, so that the node gives up asking its pasteld. */
  async function givenTime<T>(work: Promise<T>): Promise<T> {
    let done = false;
    void work.finally(() => (done = true)).catch(() => undefined);
    await network.see(() => {
      network.clock.advance(500);
      return Promise.resolve(done);
    });
    return work;
  }

  test('quotes nothing, keeps a confirmation, and serves when it is back', async () => {
    const before = await user.books(node);
    const quoted = await user.quote(node);
    const txid = await user.burn(quoted.tenths);
    const request = await user.request();
    network.devnet.faults.failNext('*', 1_000, { kind: 'error', code: -28, message: 'Loading block index...' }, node.user);
    expect((await givenTime(user.make(node, request))).status).toBe(503);
    expect((await givenTime(user.confirm(node, quoted.id, txid))).status).toBe(200);
    network.devnet.faults.clear();
    expect((await user.status(node, quoted.id)).state).toBe('QUOTED');
    // Its burn is seen and not yet tied to it: both count, so that nothing can be spent twice.
    expect(await moved(before)).toEqual({ held: 12, burned: 12 });
    network.clock.advance(60_000);
    await serve(node);
    expect((await user.status(node, quoted.id)).state).toBe('COMPLETED');
    expect(await moved(before)).toEqual({ held: 0, burned: 12 });
  });
});

describe('a supernode that starts again', () => {
  const start = async (delayMs: number): Promise<{ quoted: Quoted; before: Awaited<ReturnType<InferenceUser['books']>> }> => {
    const before = await user.books(node);
    const quoted = await user.quote(node, parameters({ sandbox_delay_ms: delayMs }));
    await user.pay(node, quoted);
    return { quoted, before };
  };
  async function expectServedOnce(
    quoted: Quoted,
    before: Awaited<ReturnType<InferenceUser['books']>>,
    attempts: number,
  ): Promise<void> {
    expect(await user.status(node, quoted.id)).toMatchObject({ state: 'COMPLETED', attempts });
    expect((await user.result(node, quoted.responseId)).output).toBe('You said: Hello there');
    expect(await resultsOf(quoted)).toBe(1);
    expect(await moved(before)).toEqual({ held: 0, burned: 12 });
  }
  /** The attempt has begun, and nobody waits for it. */
  async function begin(quoted: Quoted): Promise<void> {
    await node.app.get(InferenceSweeps).sweep(network.clock.now());
    expect((await user.status(node, quoted.id)).state).toBe('EXECUTING');
  }

  test('after its ledger has settled the burn, before it took note of it: runs once', async () => {
    await mineAndSweep(1);
    const before = await user.books(node);
    const quoted = await user.quote(node);
    const txid = await user.burn(quoted.tenths);
    const hex = (await network.user.rpc.call('getrawtransaction', [txid, 0])).text;
    network.devnet.controls.dropTransaction(txid);
    expect((await user.confirm(node, quoted.id, txid)).status).toBe(200);
    await network.user.rpc.call('sendrawtransaction', [hex]);
    expect(await node.app.get(PackLedger).claimBurn({ requestId: quoted.id, txid })).toMatchObject({ verdict: 'claimed' });
    await restart();
    expect((await user.status(node, quoted.id)).state).toBe('QUOTED');
    network.clock.advance(60_000);
    await serve(node);
    await expectServedOnce(quoted, before, 1);
  });

  test('after the confirmation and before the run: runs once', async () => {
    const { quoted, before } = await start(0);
    await restart();
    expect((await user.status(node, quoted.id)).state).toBe('CONFIRMED');
    await serve(node);
    await expectServedOnce(quoted, before, 1);
  });

  test('in an orderly way during the run: the run begins again and does not count', async () => {
    const { quoted, before } = await start(5_000);
    await begin(quoted);
    await restart();
    expect((await user.status(node, quoted.id)).state).toBe('CONFIRMED');
    await ready([quoted]);
    await expectServedOnce(quoted, before, 1);
  });

  test('after a crash during the run: taken up again when the lease has lapsed, and there is one result', async () => {
    const { quoted, before } = await start(5_000);
    await begin(quoted);
    copies++;
    await node.app.get(DataSource).query(`VACUUM INTO '${join(folder, `books-${copies}.sqlite`)}'`);
    // On the books as they were at the moment of the crash.
    await restart();
    await serve(node);
    expect((await user.status(node, quoted.id)).state).toBe('EXECUTING');
    network.clock.advance(LEASE_MS + 1_000);
    await ready([quoted]);
    await expectServedOnce(quoted, before, 2);
  });
});
