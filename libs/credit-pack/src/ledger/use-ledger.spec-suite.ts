import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { TestDatabase } from '../../../../test/support/databases.js';
import { openLedger, openLedgerDatabase, user, type OpenDatabase, type TestLedger } from './pack-ledger.spec-suite.js';

/** A ledger for each test, on one database for all of them; its books must add up after each. */
export function useLedger(database: TestDatabase): { readonly node: TestLedger; readonly packs: () => Promise<string[]> } {
  let opened: OpenDatabase;
  let node: TestLedger;
  beforeAll(async () => {
    opened = await openLedgerDatabase(database);
  });
  afterAll(() => opened.source.destroy());
  beforeEach(async () => {
    node = await openLedger(opened);
  });
  afterEach(async () => {
    expect((await node.reconcile()).differences).toEqual([]);
  });
  return {
    get node() {
      return node;
    },
    packs: async () => (await node.packs.validTicketsFor(user.pastelId)).map((pack) => pack.credit_pack_registration_txid),
  };
}
