import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { networks } from '#protocol';
import { selectCoins, sum, type Coin } from './coin-selection.rules.js';
import { keyPair, scriptOf, wif } from './keys.js';
import { serve, type Served } from './support.spec-suite.js';
import { signTx } from './transaction.js';

const BURN = networks.devnet.burnAddress;
const PSL = 100_000;

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

const vinOf = async (txid: string): Promise<{ txid: string; vout: number; address: string }[]> =>
  (await served.user.call('getrawtransaction', txid, 1)).vin;

describe('amounts', () => {
  test.each([
    [null, -3, 'Amount is not a number or string'],
    [true, -3, 'Amount is not a number or string'],
    [[1], -3, 'Amount is not a number or string'],
    ['1.000001', -3, 'Invalid amount'],
    [0.1 + 0.2, -3, 'Invalid amount'],
    ['one', -3, 'Invalid amount'],
    [-1, -3, 'Amount out of range'],
    [21_000_000_001, -3, 'Amount out of range'],
    [0, -3, 'Invalid amount for send'],
    [12_500_000, -6, 'Insufficient funds'],
    [12_050_000, -4, 'Error: This transaction requires a transaction fee of at least'],
  ])('%j to send is refused', async (amount, code, message) => {
    expect(await served.user.refusal('sendtoaddress', BURN, amount)).toEqual({
      status: 500,
      code,
      message: expect.stringContaining(message),
    });
  });

  test('of less than 15 patoshis are dust, but for the burn address', async () => {
    const own = await served.user.call('getnewaddress');
    expect(await served.user.refusal('sendtoaddress', own, 0.00014)).toMatchObject({
      code: -4,
      message: 'Transaction amount too small',
    });
    expect(await served.user.refusal('sendmany', '', { [own]: 0.00014 })).toMatchObject({
      code: -6,
      message: 'Transaction amount too small',
    });
    expect(await served.user.call('sendtoaddress', own, 0.00015)).toMatch(/^[0-9a-f]{64}$/);
    expect(await served.user.call('sendtoaddress', BURN, '1e-5')).toMatch(/^[0-9a-f]{64}$/);
  });

  test('may bear the fee', async () => {
    const own = await served.user.call('getnewaddress');
    const txid = await served.user.call('sendtoaddress', own, 10, '', '', true);
    const { vout } = await served.user.call('getrawtransaction', txid, 1);
    const paid = vout.find(
      (output: { scriptPubKey: { addresses: string[] } }) => output.scriptPubKey.addresses[0] === own,
    ).valuePat;
    const { fee } = await served.user.call('gettransaction', txid);
    expect(paid).toBe(10 * PSL + Math.round(fee * PSL));
  });
});

describe('sendmany', () => {
  test('refuses as the node does', async () => {
    const { user } = served;
    expect(await user.refusal('sendmany', 'account', { [BURN]: 1 })).toMatchObject({ code: -11 });
    expect(await user.refusal('sendmany', '', { bad: 1 })).toMatchObject({ code: -5, message: 'Invalid Pastel address: bad' });
    expect(await user.refusal('sendmany', '', { [BURN]: null })).toMatchObject({ code: -3 });
    expect(await user.refusal('sendmany', '', { [BURN]: 1 }, 0, '', [''], '')).toMatchObject({ code: -5 });
    expect(await user.refusal('sendmany', '', { [BURN]: 1 }, 0, '', [''], 'bad')).toMatchObject({
      message: 'Invalid Pastel address [bad] to send the change to. Supported values: [original, new, t-address]',
    });
    expect(await user.refusal('sendmany', '', { [BURN]: 13_000_000 })).toMatchObject({
      code: -6,
      message: expect.stringMatching(
        /^"Account has insufficient funds: needs 13000000.00000 coins; has only \d+\.\d{5} coins spendable$/,
      ),
    });
  });

  test('spends the coins of the change address first, and sends the change there', async () => {
    const { user, devnet } = served;
    const tracking = await user.call('getnewaddress');
    await user.call('sendtoaddress', tracking, 5);
    devnet.generate();
    const first = await user.call('sendmany', '', { [BURN]: 0.0002 }, 0, 'usage', [''], tracking);
    expect((await vinOf(first)).map(({ address }) => address)).toEqual([tracking]);
    // The change waits in the mempool and is spent from there.
    const second = await user.call('sendmany', '', { [BURN]: 0.0003 }, 0, 'usage', [''], tracking);
    expect(await vinOf(second)).toMatchObject([{ txid: first, address: tracking }]);
    devnet.generate();
    expect(await user.call('z_getbalance', tracking)).toBeLessThan(5);
    expect((await user.call('getaddressbalance', { addresses: [BURN] })).balance).toBeGreaterThanOrEqual(50);
  });

  test('need not prefer them', async () => {
    const { user, devnet } = served;
    const tracking = await user.call('getnewaddress');
    await user.call('sendtoaddress', tracking, 12_000_000 / 24 - 1);
    devnet.generate();
    devnet.controls.preferChangeCoins = false;
    const txid = await user.call('sendmany', '', { [BURN]: 0.0002 }, 1, '', [''], tracking);
    devnet.controls.preferChangeCoins = true;
    expect((await vinOf(txid)).map(({ address }) => address)).not.toContain(tracking);
    const { vout } = await user.call('getrawtransaction', txid, 1);
    expect(vout.flatMap((output: { scriptPubKey: { addresses: string[] } }) => output.scriptPubKey.addresses).sort()).toEqual(
      [BURN, tracking].sort(),
    );
  });
});

describe('balances', () => {
  test('count own unconfirmed change, not the unconfirmed coins of others', async () => {
    const { user, node, devnet } = served;
    const address = await node.call('getnewaddress');
    const before = await node.call('getbalance');
    await user.call('sendtoaddress', address, 77);
    expect(await node.call('getbalance')).toBe(before);
    expect(await node.call('listaddressamounts')).not.toHaveProperty(address);
    expect(await node.call('listaddressamounts', true)).toHaveProperty(address, 0);
    expect((await node.call('getwalletinfo')).unconfirmed_balance).toBe(77);
    expect(await user.refusal('listunspent', 0, 0, [address, address])).toMatchObject({ code: -8 });
    devnet.generate();
    expect(await node.call('z_getbalance', address)).toBe(77);
    expect(await user.call('z_getbalance', address)).toBe(0);
  });

  test('of a supernode hold its collateral, which nothing spends', async () => {
    const { node, devnet } = served;
    const held = await node.call('getbalance');
    expect(held).toBeGreaterThan(1_000_000);
    expect(await node.refusal('sendtoaddress', BURN, 500_000)).toMatchObject({ code: -6 });
    const [txid, n] = devnet.supernodes[0]!.outpoint.split('-');
    expect(await node.call('gettxout', txid, Number(n))).toMatchObject({ value: 1_000_000 });
  });

  test('of watched addresses are listed, but not spendable', async () => {
    const { user, node } = served;
    await node.call('importaddress', BURN, 'burn_address', true);
    expect(await node.call('listaddressamounts')).toHaveProperty(BURN);
    expect(await node.call('listaddressamounts', false, 'spendableOnly')).not.toHaveProperty(BURN);
    expect(await node.call('validateaddress', BURN)).toMatchObject({ ismine: false, iswatchonly: true });
    const txid = await user.call('sendtoaddress', BURN, 3);
    served.devnet.generate();
    expect(await node.call('gettransaction', txid)).toMatchObject({ txid, amount: 0, confirmations: 1 });
    const since = await node.call('listsinceblock', await node.call('getblockhash', 0), 1, true);
    expect(since.transactions).toContainEqual(
      expect.objectContaining({ address: BURN, category: 'receive', amount: 3, txid, confirmations: 1 }),
    );
    expect((await node.call('listsinceblock')).transactions.map(({ address }: { address: string }) => address)).not.toContain(
      BURN,
    );
  });
});

describe('keys', () => {
  test('can be taken in, with the coins that they hold already', async () => {
    const { user, node, devnet } = served;
    const key = keyPair(Buffer.alloc(32, 3));
    await user.call('sendtoaddress', key.address, 21);
    devnet.generate();
    expect(await node.call('importprivkey', wif(key), 'taken', true, 730000)).toBe(key.address);
    expect(await node.call('importprivkey', wif(key))).toBe(key.address);
    expect(await node.call('dumpprivkey', key.address)).toBe(wif(key));
    expect(await node.call('z_getbalance', key.address)).toBe(21);
  });

  test('come from a dump', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dump-'));
    const keys = [keyPair(Buffer.alloc(32, 4)), keyPair(Buffer.alloc(32, 5))];
    writeFileSync(
      join(folder, 'dump'),
      `# dump\n${keys.map((key) => `${wif(key)} 2025-01-01T00:00:00Z label=x # addr=${key.address}`).join('\n')}\n`,
    );
    expect(await served.user.call('importwallet', join(folder, 'dump'))).toBeNull();
    for (const { address } of keys) expect((await served.user.call('validateaddress', address)).ismine).toBe(true);
    rmSync(folder, { recursive: true });
  });
});

describe('transactions from outside', () => {
  const key = keyPair(Buffer.alloc(32, 11));
  const script = scriptOf(key.address)!;
  const spend = (coin: { txid: string; vout: number }, patoshis: number, change: { expiryHeight?: number; by?: Buffer } = {}) =>
    signTx(
      {
        inputs: [{ ...coin, script: Buffer.alloc(0), sequence: 0xffffffff }],
        outputs: [{ patoshis, script: scriptOf(BURN)! }],
        lockTime: 0,
        expiryHeight: change.expiryHeight ?? 0,
      },
      [{ output: { patoshis: 9 * PSL, script }, key: change.by ? keyPair(change.by) : key }],
    );
  let coin: { txid: string; vout: number };
  beforeAll(async () => {
    const txid = await served.user.call('sendtoaddress', key.address, 9);
    served.devnet.generate();
    const { vout } = await served.user.call('getrawtransaction', txid, 1);
    coin = { txid, vout: vout.find(({ valuePat }: { valuePat: number }) => valuePat === 9 * PSL).n };
  });

  test('are refused where a signature, an amount or the time is wrong', async () => {
    const send = (hex: string) => served.user.refusal('sendrawtransaction', hex);
    expect(await send(spend(coin, 8 * PSL, { by: Buffer.alloc(32, 12) }).hex)).toMatchObject({
      code: -26,
      message: expect.stringMatching(/^16: /),
    });
    expect(await send(spend(coin, 10 * PSL).hex)).toMatchObject({ code: -26 });
    expect(await send(spend(coin, 9 * PSL).hex)).toMatchObject({ message: '66: insufficient priority' });
    expect(await send(spend({ ...coin, vout: 9 }, PSL).hex)).toMatchObject({ code: -25 });
    const height = served.devnet.state.ledger.height;
    expect(await send(spend(coin, PSL, { expiryHeight: height + 3 }).hex)).toMatchObject({ message: '16: tx-expiring-soon' });
  });

  test('are taken once, and are mined', async () => {
    const { hex, txid } = spend(coin, 8 * PSL);
    expect(await served.user.call('sendrawtransaction', hex)).toBe(txid);
    expect(await served.user.call('sendrawtransaction', hex)).toBe(txid);
    expect(await served.user.refusal('sendrawtransaction', spend(coin, 7 * PSL).hex)).toMatchObject({
      message: '18: txn-mempool-conflict',
    });
    served.devnet.generate();
    expect(await served.user.refusal('sendrawtransaction', hex)).toMatchObject({ code: -27 });
  });
});

test('coins chosen are enough, or all together are not', () => {
  const coin = fc.record({
    patoshis: fc.integer({ min: 1, max: 1000 }),
    address: fc.constantFrom('a', 'b'),
    confirmations: fc.constantFrom(0, 1, 9),
  });
  fc.assert(
    fc.property(
      fc.array(coin, { maxLength: 12 }),
      fc.integer({ min: 1, max: 4000 }),
      fc.constantFrom('smallest first' as const, 'fewest' as const),
      (rows, target, order) => {
        const coins = rows.map(({ patoshis, ...row }, vout): Coin => ({
          ...row,
          txid: 't',
          vout,
          output: { patoshis, script: Buffer.alloc(0) },
        }));
        const chosen = selectCoins(coins, target, order, 'a');
        expect(chosen === undefined).toBe(sum(coins) < target);
        if (!chosen) return;
        expect(sum(chosen)).toBeGreaterThanOrEqual(target);
        expect(new Set(chosen).size).toBe(chosen.length);
        const preferred = coins.filter(({ address }) => address === 'a');
        if (sum(preferred) >= target) expect(chosen.every(({ address }) => address === 'a')).toBe(true);
        else expect(preferred.every((one) => chosen.includes(one))).toBe(true);
      },
    ),
  );
});
