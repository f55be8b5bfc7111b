import { loadZstd } from '#protocol';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import bs58check from 'bs58check';
import { base58CheckOfLongData } from './bytes.js';
import { merkleRoot, syntheticHash, syntheticHeight } from './block.js';
import { addressOf, keyFromWif, keyPair, messageSigner, scriptOf, signMessage, wif } from './keys.js';
import { dataScripts, ticketDataOf } from './p2fms.js';
import { completeTx, isSigned, parseTx, signTx } from './transaction.js';

interface Vectors {
  readonly transactions: readonly {
    readonly from: string;
    readonly input_value_patoshis: number;
    readonly hex: string;
    readonly pasteld_hex: string;
    readonly pasteld_txid: string;
    readonly expiryheight: number;
    readonly outputs: readonly { readonly valuePat: number; readonly scriptPubKey: { readonly addresses: readonly string[] } }[];
  }[];
  readonly keys: readonly { readonly wif: string; readonly address: string }[];
}
const vectors = JSON.parse(readFileSync(new URL('./transaction.vectors.json', import.meta.url), 'utf8')) as Vectors;

describe('transactions', () => {
  test.each(vectors.transactions)('of a real wallet are read, named and found well signed: $pasteld_txid', (vector) => {
    const tx = parseTx(vector.hex);
    expect([tx.txid, tx.hex, tx.expiryHeight]).toEqual([vector.pasteld_txid, vector.pasteld_hex, vector.expiryheight]);
    expect(tx.outputs.map(({ patoshis, script }) => [patoshis, addressOf(script)])).toEqual(
      vector.outputs.map(({ valuePat, scriptPubKey }) => [valuePat, scriptPubKey.addresses[0]]),
    );
    const spent = { patoshis: vector.input_value_patoshis, script: scriptOf(vector.from)! };
    expect(isSigned(tx, 0, spent)).toBe(true);
    expect(isSigned(tx, 0, { ...spent, patoshis: spent.patoshis + 1 })).toBe(false);
    expect(isSigned(tx, 0, { ...spent, script: tx.outputs[0]!.script })).toBe(false);
  });

  test('signed here are well signed, and read back as they were', () => {
    const key = keyPair(Buffer.alloc(32, 7));
    const output = { patoshis: 50_000, script: scriptOf(key.address)! };
    const raw = {
      inputs: [0, 1].map((vout) => ({ txid: 'ab'.repeat(32), vout, script: Buffer.alloc(0), sequence: 0xfffffffe })),
      outputs: [{ patoshis: 99_000, script: scriptOf(key.address)! }],
      lockTime: 0,
      expiryHeight: 760_100,
    };
    const tx = signTx(raw, [
      { output, key },
      { output, key },
    ]);
    expect([0, 1].map((index) => isSigned(tx, index, output))).toEqual([true, true]);
    expect(parseTx(tx.hex)).toEqual(tx);
  });

  test('nothing that is not one is taken for one', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('hex')),
        ),
        (text) => {
          expect(() => parseTx(text)).toThrow();
        },
      ),
    );
    const { hex } = vectors.transactions[0]!;
    for (let length = 0; length < 400; length += 7) expect(() => parseTx(hex.slice(0, 2 * Math.floor(length / 2)))).toThrow();
  });
});

describe('keys', () => {
  test.each(vectors.keys)('a WIF key of the devnet has the address $address', ({ wif: text, address }) => {
    const key = keyFromWif(text);
    if ('reason' in key) throw new Error(key.reason);
    expect([key.address, wif(key)]).toEqual([address, text]);
  });
  test('say what is wrong with them', () => {
    expect(keyFromWif('nonsense')).toEqual({ reason: 'failed to decode base58-encoded string' });
    expect(keyFromWif(bs58check.encode(Buffer.alloc(10)))).toEqual({ reason: 'length is less than 32 bytes' });
    expect(keyFromWif(bs58check.encode(Buffer.alloc(33, 1)))).toEqual({ reason: 'invalid prefix' });
  });
  test.each([true, false])('sign messages that name their signer (compressed: %s)', (compressed) => {
    const key = keyPair(Buffer.alloc(32, 9), compressed);
    const signature = Buffer.from(signMessage(key, 'naïve'), 'base64');
    expect(signature).toHaveLength(65);
    expect(messageSigner(signature, 'naïve')).toBe(key.address);
    expect(messageSigner(signature, 'other')).not.toBe(key.address);
  });
});

test('long data has the base58 text that short data has', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (bytes) => {
      const payload = Buffer.concat([Buffer.from([0x51, 0xde]), bytes]);
      expect(base58CheckOfLongData(payload)).toBe(bs58check.encode(payload));
    }),
  );
});

test('a record cut into outputs is read back, compressed or not', async () => {
  await loadZstd();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 40 }), (bytes, times) => {
      const record = Buffer.concat(Array.from({ length: times }, () => Buffer.from(bytes)));
      const outputs = dataScripts(14, record).map((script) => ({ script, patoshis: 10 }));
      const tx = completeTx({ inputs: [], outputs, lockTime: 0, expiryHeight: 0 });
      const data = ticketDataOf(tx);
      expect(data).toMatchObject({ ticketId: 14, outputs: outputs.length, patoshis: 10 * outputs.length });
      expect(data?.record.equals(record)).toBe(true);
    }),
  );
  const scripts = dataScripts(14, Buffer.from('x'.repeat(3000)));
  const damaged = scripts.map((script, at) => {
    const copy = Buffer.from(script);
    if (at === 0) copy[60] = 255 - copy[60]!;
    return { script: copy, patoshis: 1 };
  });
  expect(ticketDataOf(completeTx({ inputs: [], outputs: damaged, lockTime: 0, expiryHeight: 0 }))).toBeUndefined();
});

test('merkle roots double the odd last one; names of blocks below the start tell their height', () => {
  const [a, b, c] = ['11', '22', '33'].map((byte) => byte.repeat(32)) as [string, string, string];
  expect(merkleRoot([a])).toBe(a);
  expect(merkleRoot([a, b, c])).toBe(merkleRoot([a, b, c, c]));
  expect(merkleRoot([a, b])).not.toBe(merkleRoot([b, a]));
  for (const height of [0, 1, 700_000, 760_000]) expect(syntheticHeight(syntheticHash(height))).toBe(height);
  expect(syntheticHeight(`${syntheticHash(5).slice(0, -1)}x`)).toBeUndefined();
});
