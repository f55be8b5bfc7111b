import 'reflect-metadata';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { creditPackEntities, type HeldFor } from '#credit-pack';
import type { Transactions } from '#database';
import { openTestDatabase, testDatabases } from '../../../../test/support/databases.js';
import { InferenceJob, entities } from '../inference.entities.js';
import { accountFaults, fateOf, type RequestAccount } from './reconciliation.rules.js';
import { Reconciliation } from './reconciliation.service.js';
import { requestStates, type RequestState } from '../payment/request-state.rules.js';

const [BURN, OTHER] = ['1'.repeat(64), '2'.repeat(64)];
const hold = (changes: Partial<HeldFor> = {}): HeldFor => ({
  requestId: 'r',
  packTxid: 'p',
  millicredits: 1200,
  state: 'settled',
  burnTxid: BURN,
  ...changes,
});
const note = { burnTxid: BURN, millicredits: 1200 };
const request = (state: RequestState, changes: Partial<RequestAccount> = {}): RequestAccount => ({
  requestId: 'r',
  state,
  costMillicredits: 1200,
  burnTxid: state === 'QUOTED' || state === 'EXPIRED' ? null : BURN,
  namedTxid: null,
  isPaidByNote: false,
  note: state === 'FAILED' || state === 'REFUSED' ? note : undefined,
  ...changes,
});

describe('a request and its hold', () => {
  const fitting: [RequestState, Partial<HeldFor>][] = [
    ['QUOTED', { state: 'held', burnTxid: null }],
    ['EXPIRED', { state: 'released', burnTxid: null }],
    ['CONFIRMED', {}],
    ['EXECUTING', {}],
    ['COMPLETED', {}],
    ['COMPLETED', { state: 'unsettled' }],
    ['FAILED', {}],
    ['REFUSED', {}],
  ];
  test.each(fitting)('%s with %j fits', (state, changes) => expect(accountFaults(request(state), hold(changes))).toEqual([]));

  test('every burned credit is served, noted or underway, in every state that a paid request can be in', () => {
    const fates = requestStates.map((state) => fateOf(request(state), hold()));
    expect(fates).toEqual([undefined, 'underway', 'underway', 'served', 'noted', undefined, 'noted']);
    expect(fateOf(request('QUOTED', { namedTxid: BURN }), hold())).toBe('underway');
    expect(fateOf(request('QUOTED'), hold({ state: 'held', burnTxid: null }))).toBeUndefined();
  });

  test.each<[string, RequestAccount | undefined, HeldFor | undefined, RegExp]>([
    ['no request', undefined, hold(), /nobody made/],
    ['no hold', request('QUOTED'), undefined, /ever held/],
    ['burned and forgotten', request('QUOTED'), hold(), /burned, and the request is QUOTED/],
    ['burned and expired', request('EXPIRED', { namedTxid: OTHER }), hold(), /burned, and the request is EXPIRED/],
    ['another burn', request('COMPLETED', { burnTxid: OTHER }), hold(), /another burn/],
    ['served for nothing', request('COMPLETED'), hold({ state: 'held', burnTxid: null }), /nothing was burned/],
    ['held for ever', request('EXPIRED'), hold({ state: 'held', burnTxid: null }), /still held/],
    ['given back too early', request('QUOTED'), hold({ state: 'released', burnTxid: null }), /given back/],
    [
      'held too little',
      request('QUOTED'),
      hold({ state: 'held', burnTxid: null, millicredits: 100 }),
      /100 millicredits are held/,
    ],
    ['served too cheap', request('COMPLETED'), hold({ millicredits: 1100 }), /1100 millicredits were burned/],
    ['no note', request('FAILED', { note: undefined }), hold(), /no credit note/],
    ['served and noted', request('COMPLETED', { note }), hold(), /a credit note was written/],
    ['a note for another burn', request('FAILED', { note: { ...note, burnTxid: OTHER } }), hold(), /for another burn/],
    ['a note over too much', request('REFUSED', { note: { ...note, millicredits: 1300 } }), hold(), /over 1300 millicredits/],
  ])('%s is found', (_, account, held, text) => expect(accountFaults(account, held).join()).toMatch(text));
});

describe.each(testDatabases())('the books on $name', (database) => {
  let source: DataSource;
  let transactions: Transactions;
  beforeAll(async () => {
    ({ source, transactions } = await openTestDatabase(database, [...creditPackEntities, ...entities]));
  });
  afterAll(() => source.destroy());
  beforeEach(async () => {
    for (const { tablePath } of source.entityMetadatas) await source.query(`DELETE FROM "${tablePath}"`);
  });
  const insert = async (table: string, rows: Record<string, string | number | null>[]): Promise<void> => {
    for (let at = 0; at < rows.length; at += 300)
      await transactions.run('test: rows stored', (manager) => manager.insert(table, rows.slice(at, at + 300)));
  };
  const id = (n: number): string => `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`;
  const job = (n: number, state: RequestState, burn_txid: string | null) => ({
    inference_request_id: id(n),
    inference_response_id: `response ${n}`,
    request_hash: '',
    owner_pastelid: 'jX',
    pack_txid: 'p',
    model: '',
    provider: '',
    inference_type: '',
    parameters: '',
    cost_tenths: 12,
    max_height: 1,
    state,
    burn_txid,
    created_at_ms: 1,
  });
  const holdRow = (n: number, state: string, burnTxid: string | null) => ({
    requestId: id(n),
    packTxid: 'p',
    millicredits: 1200,
    state,
    heldAtHeight: 1,
    expiresAtHeight: 1,
    burnTxid,
  });

  test('empty ones add up', async () => {
    const nothing = { served: 0, noted: 0, underway: 0 };
    expect(await Reconciliation.over(transactions).reconcile()).toEqual({
      packs: 0,
      requests: 0,
      burnedMillicredits: nothing,
      notesMillicredits: { open: 0, redeemed: 0 },
      differences: [],
      frozen: [],
    });
  });

  test('of more requests than a page holds, the ones that do not add up are named', async () => {
    const all = Array.from({ length: 1203 }, (_, n) => n);
    await insert(
      'InferenceJob',
      all.map((n) => (n === 700 ? job(n, 'EXPIRED', null) : job(n, 'QUOTED', null))),
    );
    await insert(
      'HoldRow',
      all.filter((n) => n !== 1200).map((n) => holdRow(n, 'held', null)),
    );
    await insert('HoldRow', [holdRow(5000, 'released', null)]);
    const { requests, differences } = await Reconciliation.over(transactions).reconcile();
    expect(requests).toBe(1203);
    expect(differences.map(({ what }) => what)).toEqual([
      `request ${id(700)}: credits are still held, and the request is EXPIRED`,
      `request ${id(5000)}: credits are held for a request that nobody made`,
      `request ${id(1200)}: no credits were ever held for the request`,
    ]);
    expect(await transactions.read((manager) => manager.count(InferenceJob))).toBe(1203);
  });
});
