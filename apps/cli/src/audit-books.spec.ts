import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { openDataSource, Transactions } from '#database';
import { BURN, openLedger, type TestLedger } from '../../../libs/credit-pack/src/ledger/pack-ledger.spec-suite.js';
import { entities } from '../../supernode/src/supernode.js';
import { auditBooks } from './audit-books.js';
import type { Context } from './context.js';

let folder: string;
let url: string;
let source: DataSource;
let ledger: TestLedger;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pastel-books-'));
  url = `sqlite:${join(folder, 'supernode.sqlite')}`;
  source = await openDataSource(url, entities, 'synchronize');
  ledger = await openLedger({ source, transactions: new Transactions(source) });
});
afterAll(async () => {
  await source.destroy();
  rmSync(folder, { recursive: true });
});

async function audited(json: boolean) {
  const lines: string[] = [];
  const terminal = { out: (text: string) => void lines.push(text), error: (text: string) => void lines.push(text) };
  const end = await auditBooks({ node: {}, terminal, json } as Context, [url], { chain: false }).catch(
    (error: Error) => error.message,
  );
  return { text: lines.join('\n'), end };
}
async function frozen(): Promise<unknown> {
  const { books } = JSON.parse((await audited(true)).text) as { books: { frozen: unknown }[] };
  return books[0]!.frozen;
}

test('what a reorganisation froze is told until it is there again', async () => {
  const { chain } = ledger;
  const { pack, txid, trackingAddress } = await ledger.buy();
  expect(await frozen()).toEqual([]);
  expect((await audited(false)).text).not.toContain('frozen');

  await ledger.hold(pack, 'r1', 150, 100);
  const burn = chain.send({ from: trackingAddress, to: [[BURN, 150]] });
  await ledger.ledger.claimBurn({ requestId: 'r1', txid: burn });
  chain.drop(burn);
  chain.mine(11);
  await ledger.sweep();
  expect(await frozen()).toEqual([{ pack: txid, request: 'r1', credits: 15 }]);
  const { text } = await audited(false);
  expect(text).toContain(`frozen: pack ${txid}: 15.0 credits of request r1, and its burn has vanished from the chain`);

  chain.disconnect(12);
  chain.drop(txid);
  chain.mine(13);
  await ledger.sweep();
  expect(await frozen()).toEqual([
    { pack: txid, request: null, credits: 15 },
    { pack: txid, request: 'r1', credits: 15 },
  ]);
  expect((await audited(false)).text).toContain('15.0 credits held or burned, and its ticket or purchase burn has vanished');

  for (const lost of [txid, burn]) chain.rebroadcast(lost);
  chain.mine();
  await ledger.sweep();
  expect(await frozen()).toEqual([]);
});
