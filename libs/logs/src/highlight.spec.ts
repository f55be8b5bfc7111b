import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { highlight, lineHtml } from './highlight.rules.js';

const PASTELID = `jX${'aB3'.repeat(28)}`;
const HEX = '0f'.repeat(32);
const UUID = '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed';
const kindsIn = (line: string) => highlight(line).filter(([kind]) => kind !== 'text');

/** Text that looks like what the rules look for, and like what an attacker would write. */
const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '"',
    "'",
    '`',
    '<',
    '>',
    '&',
    '</span>',
    '<script>',
    '${x}',
    '#COLOR2_OPEN#',
    'http://a/',
    'error',
    ' ',
    '_'.repeat(100),
  ),
  fc.constantFrom(
    PASTELID,
    HEX,
    UUID,
    'txid: ',
    '2026-01-05 12:00:00,123',
    ' - ERROR - ',
    '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7',
  ),
);
const line = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'", '&amp;': '&' };
const visible = (html: string): string =>
  html
    .replace(/<span style="color: #[\da-f]{6};">|<\/span>/g, '')
    .replace(/&(?:lt|gt|quot|amp|#x27);/g, (entity) => entities[entity]!);

test('the pieces together are the line, to the character', () => {
  fc.assert(
    fc.property(line, (text) =>
      expect(
        highlight(text)
          .map(([, part]) => part)
          .join(''),
      ).toBe(text),
    ),
    { numRuns: 2000 },
  );
});

test('the HTML shows the line and holds no tag but its own spans', () => {
  fc.assert(
    fc.property(line, (text) => {
      const html = lineHtml(text);
      expect(visible(html)).toBe(text);
      const rest = html.replace(/<span style="color: #[\da-f]{6};">[^<>]*<\/span>/g, '');
      expect(rest).not.toMatch(/[<>"']/);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [`for ${PASTELID},`, [['pastelid', PASTELID]]],
  [`txid: ${HEX}`, [['txid', HEX]]],
  [
    `"txid":"${HEX}"`,
    [
      ['quoted', '"txid"'],
      ['quoted', '"'],
      ['txid', HEX],
      ['quoted', '"'],
    ],
  ],
  [`hash ${HEX}`, [['hash', HEX]]],
  [`${HEX}0`, []],
  [`(${UUID})`, [['uuid', UUID]]],
  ['see https://a.b/c?d=e.', [['url', 'https://a.b/c?d=e']]],
  ["it's don't", []],
  ["the 'value' it", [['literal', "'value'"]]],
  [
    'errors Error FAILING',
    [
      ['failure', 'Error'],
      ['failure', 'FAILING'],
    ],
  ],
  [
    '2026-01-05T12:00:00.123456+00:00 pending',
    [
      ['time', '2026-01-05T12:00:00.123456+00:00'],
      ['pending', 'pending'],
    ],
  ],
])('%s', (text, expected) => expect(kindsIn(text)).toEqual(expected));

test('addresses of every network', () => {
  const found = new Set(readFileSync('test/vectors/addresses.json', 'utf8').match(/"(?:Pt|tP|44)[1-9A-HJ-NP-Za-km-z]{33,34}"/g));
  expect(found.size).toBeGreaterThan(0);
  for (const quoted of found) expect(kindsIn(quoted.slice(1, -1))).toEqual([['address', quoted.slice(1, -1)]]);
  for (const burn of ['PtpasteLBurnAddressXXXXXXXXXXbJ5ndd', 'tPpasteLBurnAddressXXXXXXXXXXX3wy7u'])
    expect(kindsIn(burn)).toEqual([['address', burn]]);
});

test("the original's vectors, quotes kept (messaging spec 7.3)", () => {
  expect(lineHtml('2024-08-12 10:00:00,123 - ERROR - failed "abc" \'def\' `ghi`')).toBe(
    '<span style="color: #ece2d0;">2024-08-12 10:00:00,123</span> - <span style="color: #ffdfba;">ERROR</span> - ' +
      '<span style="color: #ffb3ba;">failed</span> <span style="color: #bdc7e7;">&quot;abc&quot;</span> ' +
      '<span style="color: #d5db9c;">&#x27;def&#x27;</span> <span style="color: #a8d8ea;">`ghi`</span>',
  );
  expect(lineHtml('<script>alert(1)</script> & pending')).toBe(
    '&lt;script&gt;alert(1)&lt;/script&gt; &amp; <span style="color: #ffdfba;">pending</span>',
  );
  expect(lineHtml('#COLOR2_OPEN#x')).toBe('#COLOR2_OPEN#x');
});

test('a hostile line takes no longer than any other', () => {
  for (const text of [
    '"'.repeat(9999),
    "'a".repeat(5000),
    'http://'.repeat(1500),
    '_'.repeat(9999),
    'jX'.repeat(5000),
    '0-'.repeat(5000),
  ]) {
    const before = performance.now();
    highlight(text);
    expect(performance.now() - before).toBeLessThan(500);
  }
});
