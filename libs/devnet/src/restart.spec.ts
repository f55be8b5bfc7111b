import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { networks } from '#protocol';
import { Devnet } from './devnet.js';
import { HandClock, SeededEntropy, serve, testDevnet, testOptions } from './support.spec-suite.js';

const BURN = networks.devnet.burnAddress;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'devnet-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a restart', () => {
  test('brings back chain, mempool, wallets, keys, tickets and inboxes', async () => {
    const dataFile = join(folder, 'deep', 'chain.jsonl');
    const before = await serve({ dataFile });
    const { user, node, devnet } = before;
    const address = await user.call('getnewaddress');
    await user.call('sendtoaddress', address, 1200, 'a note');
    await node.call('importaddress', BURN, 'burn');
    const { pastelid } = await user.call('pastelid', 'newkey', 'words');
    devnet.generate();
    await node.call('tickets', 'register', 'contract', 'e30=', 'PACK', 'key');
    const burn = await user.call('sendmany', '', { [BURN]: 0.5 }, 0, 'burn', [''], address);
    devnet.generate(2);
    devnet.controls.reorganise(1);
    await user.call('tickets', 'register', 'id', pastelid, 'words', address);
    await node.call('masternode', 'message', 'send', devnet.supernodes[1]!.publicKey, 'hello');
    const waiting = await user.call('sendtoaddress', BURN, 2);
    const questions: [string, ...unknown[]][] = [
      ['getbestblockhash'],
      ['getblock', '760050'],
      ['getbalance'],
      ['listaddressamounts', true],
      ['getrawmempool'],
      ['listsinceblock'],
      ['gettransaction', burn],
      ['gettransaction', waiting],
      ['tickets', 'find', 'contract', 'key'],
      ['tickets', 'list', 'id', 'all'],
      ['pastelid', 'list'],
      ['pastelid', 'sign', 'text', pastelid, 'words'],
      ['dumpprivkey', address],
      ['getaddressbalance', { addresses: [BURN] }],
    ];
    const ask = async ({ user: caller }: typeof before) => Promise.all(questions.map((question) => caller.call(...question)));
    const asked = await ask(before);
    const inbox = await before.peer.call('masternode', 'message', 'list');
    expect(inbox).toHaveLength(1);
    await before.close();

    const after = await serve({ dataFile, entropy: new SeededEntropy(2) });
    expect(await ask(after)).toEqual(asked);
    expect(await after.peer.call('masternode', 'message', 'list')).toEqual(inbox);
    expect(after.devnet.supernodes).toEqual(devnet.supernodes);
    expect(await after.node.call('listaddressamounts', false, 'watchOnly')).toEqual({ [BURN]: 0.5 });
    after.devnet.generate();
    expect(await after.user.call('gettransaction', waiting)).toMatchObject({ confirmations: 1 });
    await after.close();
  });

  test('forgets a last line that was cut off, and refuses any other damage', async () => {
    const dataFile = join(folder, 'cut.jsonl');
    const first = await testDevnet({ dataFile });
    first.generate(3);
    const { tipHash } = first.state.ledger;
    const whole = readFileSync(dataFile, 'utf8');
    appendFileSync(dataFile, '{"kind":"block","ha');
    const second = await testDevnet({ dataFile });
    expect(second.state.ledger.tipHash).toBe(tipHash);
    expect(readFileSync(dataFile, 'utf8')).toBe(whole);

    const lines = whole.split('\n');
    const broken = [
      [...lines.slice(0, 40), '{"kind":', ...lines.slice(41)],
      [...lines.slice(0, 40), ...lines.slice(41)],
      lines.slice(1),
      lines.map((line) => line.replace(/"time":(\d+)/, (_, time) => `"time":${Number(time) + 1}`)),
    ];
    for (const version of broken) {
      writeFileSync(dataFile, version.join('\n'));
      await expect(testDevnet({ dataFile })).rejects.toThrow();
    }
  });

  test('says so when the file belongs to other supernodes', async () => {
    const dataFile = join(folder, 'others.jsonl');
    await testDevnet({ dataFile });
    await expect(testDevnet({ dataFile, supernodes: testOptions().supernodes.slice(0, 3) })).rejects.toThrow('sn4');
  });
});

describe('blocks by themselves', () => {
  const timed = (clock: HandClock) => Devnet.create(testOptions({ clock, blocks: { everySeconds: 15, earlySeconds: 5 } }));

  test('come every 15 seconds', async () => {
    const clock = new HandClock();
    const devnet = await timed(clock);
    const height = devnet.state.ledger.height;
    await clock.advance(14_000);
    expect(devnet.state.ledger.height).toBe(height);
    await clock.advance(1_000);
    expect(devnet.state.ledger.height).toBe(height + 1);
    await clock.advance(600_000);
    expect(devnet.state.ledger.height).toBe(height + 2);
    await devnet.close();
    await clock.advance(60_000);
    expect(devnet.state.ledger.height).toBe(height + 2);
  });

  test('come early for a transaction, but not within 5 seconds of another', async () => {
    const clock = new HandClock();
    const devnet = await timed(clock);
    const server = await devnet.listen('127.0.0.1', 0);
    const { Caller } = await import('./support.spec-suite.js');
    const user = new Caller(server.url);
    const height = devnet.state.ledger.height;
    await clock.advance(7_000);
    await user.call('sendtoaddress', BURN, 1);
    await clock.advance(0);
    expect(devnet.state.ledger.height).toBe(height + 1);
    await user.call('sendtoaddress', BURN, 1);
    await clock.advance(4_900);
    expect(devnet.state.ledger.height).toBe(height + 1);
    await clock.advance(100);
    expect(devnet.state.ledger.height).toBe(height + 2);
    expect(devnet.state.mempool.size).toBe(0);
    await server.close();
    await devnet.close();
  });
});
