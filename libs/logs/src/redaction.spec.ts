import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { REDACTED } from '#config';
import { redactionOf } from './redaction.rules.js';

const PASSPHRASE = 'correct "horse" battery/staple';
const redact = redactionOf([PASSPHRASE, 'rpc-s3cret-password']);

describe('secrets by value', () => {
  test.each([
    ['as it is', PASSPHRASE],
    ['in JSON', JSON.stringify(PASSPHRASE).slice(1, -1)],
    ['in a URL', encodeURIComponent(PASSPHRASE)],
  ])('%s', (_how, text) => expect(redact(`unlock with ${text} now`)).toBe(`unlock with ${REDACTED} now`));

  test('anywhere in any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (left, right) => {
        expect(redact(left + PASSPHRASE + right)).not.toContain('horse');
        expect(redact(left + 'rpc-s3cret-password' + right)).not.toContain('s3cret-pass');
      }),
    );
  });
  test('but not a word that everybody knows, nor next to nothing', () => {
    expect(redactionOf(['devnet', 'ab', ''])('devnet about')).toBe('devnet about');
  });
});

describe('secrets by their place', () => {
  const HIDDEN = 'Zx9qTop';
  test.each([
    [`connect to http://user:${HIDDEN}@127.0.0.1:19932/`, 'connect to http://[redacted]@127.0.0.1:19932/'],
    [`postgres://me:p@${HIDDEN}@db/x`, 'postgres://[redacted]@db/x'],
    [`Authorization: Basic dXNlcjo${HIDDEN}=`, 'Authorization: [redacted]'],
    [`{"authorization":"Bearer ${HIDDEN}abc"}`, '{"authorization":[redacted]}'],
    [`with Bearer ${HIDDEN}abcdef`, 'with Bearer [redacted]'],
    [`LOCAL_PASTEL_ID_PASSPHRASE=${HIDDEN}`, 'LOCAL_PASTEL_ID_PASSPHRASE=[redacted]'],
    [`{"passphrase": "a \\"${HIDDEN}", "x": 1}`, '{"passphrase": [redacted], "x": 1}'],
    [`{\\"password\\":\\"${HIDDEN}\\",\\"x\\":1}`, '{\\"password\\":[redacted],\\"x\\":1}'],
    [`password='${HIDDEN} two' x`, 'password=[redacted] x'],
    [`{ apiKey: '${HIDDEN}' }`, '{ apiKey: [redacted] }'],
    [`x-api-key: ${HIDDEN}, y`, 'x-api-key: [redacted], y'],
    [`"challenge_signature":"${HIDDEN}"`, '"challenge_signature":[redacted]'],
    [`?access_token=${HIDDEN}&a=b`, '?access_token=[redacted]&a=b'],
    [`key sk-${HIDDEN}0123456789abc`, 'key [redacted]'],
    [`"passphrase":"never closed ${HIDDEN}`, '"passphrase":[redacted]'],
  ])('%s', (text, expected) => {
    expect(redact(text)).toBe(expected);
    expect(redact(text)).not.toContain(HIDDEN);
  });
});

test('what is no secret stays', () => {
  const harmless = [
    `max_tokens: 100, input_tokens=12; Basic authentication needed`,
    `PastelID jX${'a'.repeat(84)} txid ${'ab'.repeat(32)}`,
    `https://example.org/a?b=c and mail to me @ home`,
    '_'.repeat(300),
  ];
  for (const text of harmless) expect(redact(text)).toBe(text);
});

test('prompts and payloads are cut', () => {
  expect(redact('{"prompt": "tell me a secret story", "n": 1}')).toBe('{"prompt": "[24 characters cut]", "n": 1}');
  expect(redact(`data ${'QUJD'.repeat(100)}== end`)).toBe(`data ${'QUJD'.repeat(6)}[378 characters cut] end`);
});

test('a secret at the cut of a very long text does not show by half', () => {
  const long = `${'word '.repeat(13_105)}${PASSPHRASE}`;
  expect(long.length).toBeGreaterThan(65_536);
  expect(redact(long)).not.toContain('correct');
});

test('a hostile text takes no longer than any other', () => {
  for (const part of ['password', 'a://', '"prompt":"', '\\"', 'Bearer ', 'authorization:', 'eyJ', 'A', "secret='"]) {
    const text = part.repeat(Math.ceil(65_536 / part.length));
    const before = performance.now();
    redact(text);
    expect(performance.now() - before).toBeLessThan(1000);
  }
});
