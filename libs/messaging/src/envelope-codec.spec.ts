import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bomb, frameOfRuns } from '../test/bomb.spec-suite.js';
import { EnvelopeCodec } from './envelope-codec.js';
import { CONTENT_BYTES_MAX, declaredContentBytes, envelopeText, frameIn, readEnvelope, Unacceptable } from './envelope.rules.js';
import { WasmZstd } from './zstd.js';

const zstd = new WasmZstd();
const codec = new EnvelopeCodec(zstd);
const signature = 'A'.repeat(152);
const envelope = { message: 'hi', message_type: 't', signature, sending_sn_pubkey: 'p' };
/** Whatever comes in, it opens or it is refused; nothing else is ever thrown. */
const opensOrIsRefused = async (base64: string): Promise<void> => {
  try {
    await codec.open(base64);
  } catch (error) {
    expect(error).toBeInstanceOf(Unacceptable);
  }
};

describe('the envelope', () => {
  test('prints as Python prints it', () => {
    expect(envelopeText({ message: 'hé "x"\n', message_type: 't', signature: 's', sending_sn_pubkey: 'p' })).toBe(
      String.raw`{"message": "hé \"x\"\n", "message_type": "t", "signature": "s", "sending_sn_pubkey": "p"}`,
    );
  });

  test('opens what python-zstandard packed (messaging spec 4.1)', async () => {
    const vector = 'KLUv/SRSFQIAssMMEqC7AWw0kaBFS76Jql7dm/5HIO/pGN70DJaSO5cNYW3FluA1fQRfqa1EcFOO4bqiW9FdBABAhJr3czaC3hkG8So9jA==';
    const frame = frameIn(vector);
    expect(declaredContentBytes(frame)).toBe(82);
    expect(Buffer.from((await zstd.decompress(frame))!).toString()).toBe(
      '{"message": "hi", "message_type": "t", "signature": "s", "sending_sn_pubkey": "p"}',
    );
    // Its signature is no signature, and that is what is refused.
    await expect(codec.open(vector)).rejects.toThrow('signature');
  });

  test('comes back as it went in, with its content size declared', async () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 400 }).filter((text) => text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(anyText, fc.nat(300_000), async (text, more) => {
        const message = text + 'x'.repeat(more);
        const { base64, text: sent } = await codec.wrap({ ...envelope, message });
        const { text: got, bytes, envelope: read } = await codec.open(base64);
        expect(got).toBe(sent);
        expect(read).toEqual({ ...envelope, message });
        expect(bytes).toBe(Buffer.byteLength(sent));
        expect(declaredContentBytes(frameIn(base64))).toBe(bytes);
      }),
      { numRuns: 60 },
    );
  });

  test.each([0, 1, 255, 256, 65_791, 65_792, 300_000])('a content of %i bytes declares its size', async (size) => {
    expect(declaredContentBytes(Buffer.from(await zstd.compress(new Uint8Array(size))))).toBe(size);
  });

  test('takes any garbage for what it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.base64String(),
          fc.string(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
        ),
        opensOrIsRefused,
      ),
      { numRuns: 300 },
    );
    const { base64 } = await codec.wrap({ ...envelope, message: 'some words, some words, some words' });
    const whole = Buffer.from(base64, 'base64');
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, flip, cut) => {
        const damaged = Buffer.from(cut ? whole.subarray(0, at) : whole);
        if (!cut) damaged[at]! ^= flip;
        await opensOrIsRefused(damaged.toString('base64'));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['says what it holds', bomb({ declared: 200_000_000 }), `declares 200000000 bytes, more than ${CONTENT_BYTES_MAX}`],
    ['says nothing', bomb({}), 'does not declare'],
    ['says less than it holds', bomb({ declared: 1000 }), 'damaged'],
    ['says the most that is allowed and holds more', bomb({ declared: CONTENT_BYTES_MAX }), 'damaged'],
    ['declares 2^60 bytes', bomb({ declared: 2 ** 60 }), 'more than'],
  ])('a bomb that %s is not inflated', async (_, base64, reason) => {
    expect(base64.length).toBeLessThan(10_000);
    await expect(codec.open(base64)).rejects.toThrow(reason);
  });

  test('a frame that holds less than it declares is refused', async () => {
    await expect(codec.open(frameOfRuns(2, 131_072, 500_000).toString('base64'))).rejects.toThrow('damaged');
  });

  test.each([
    ['12.5', 'not a JSON object'],
    ['{', 'not JSON'],
    ['{"message": 1}', '"message"'],
    ['{"message": "a", "message": "b"}', 'Duplicate key'],
    [envelopeText({ ...envelope, message_type: '' }), '"message_type"'],
    [envelopeText({ ...envelope, message_type: 'a\0b' }), '"message_type"'],
    [envelopeText({ ...envelope, signature: 'short' }), '"signature"'],
    ['{"message": "\\ud800", "message_type": "t"}', 'Lone surrogate'],
  ])('%s is no envelope', (text, reason) => {
    expect(() => readEnvelope(text)).toThrow(reason);
    expect(() => readEnvelope(text)).toThrow(Unacceptable);
  });

  test('what no receiver would take is not sent', async () => {
    await expect(codec.wrap({ ...envelope, message: 'x'.repeat(CONTENT_BYTES_MAX) })).rejects.toThrow('at most');
  });
});
