import { createCipheriv, createHmac } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Environment, SettingsError } from '../environment.js';
import { readSettings } from '../settings.js';
import { SettingSources } from '../sources.js';
import { looksLikeFernet, openFernet } from './fernet.js';
import { SecretProblem } from './secret-file.js';
import { SecretStore } from './secret-store.js';
import { formsOf, REDACTED, Secrets } from './secrets.js';

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'secrets-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** verify.json of the Fernet specification (github.com/fernet/spec). */
const FERNET = {
  token: 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==',
  key: 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=',
};
function fernetOf(text: Buffer, { version = 0x80, padded = true } = {}): string {
  const key = Buffer.from(FERNET.key, 'base64url');
  const iv = Buffer.alloc(16, 7);
  const cipher = createCipheriv('aes-128-cbc', key.subarray(16), iv).setAutoPadding(padded);
  const head = Buffer.concat([Buffer.from([version, 0, 0, 0, 0, 0x66, 1, 2, 3]), iv]);
  const sealed = Buffer.concat([head, cipher.update(text), cipher.final()]);
  const token = Buffer.concat([sealed, createHmac('sha256', key.subarray(0, 16)).update(sealed).digest()]).toString('base64url');
  return token + '='.repeat(-token.length & 3);
}

describe('Fernet tokens of the original', () => {
  test('the vector of the specification', () => {
    expect(openFernet(FERNET.token, FERNET.key)).toBe('hello');
  });
  test('of any text, as the original quotes them for .env', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const token = fernetOf(Buffer.from(text)).replaceAll('=', '%3D');
        expect(looksLikeFernet(token)).toBe(true);
        expect(openFernet(token, `${FERNET.key}\n`)).toBe(text);
      }),
    );
  });
  test.each([
    ['another key', FERNET.token, `${'A'.repeat(43)}=`],
    ['no key', FERNET.token, 'key'],
    ['a changed byte', FERNET.token.replace('KZ_e', 'KZ_f'), FERNET.key],
    ['cut off', FERNET.token.slice(0, 60), FERNET.key],
    ['another version', fernetOf(Buffer.from('hello'), { version: 0x81 }), FERNET.key],
    ['no text', fernetOf(Buffer.alloc(0), { padded: false }), FERNET.key],
    ['bad padding', fernetOf(Buffer.alloc(16, 0xff), { padded: false }), FERNET.key],
    ['bytes that are no text', fernetOf(Buffer.from([0xff, 0xfe])), FERNET.key],
    ['what is not base64', 'gAAAAA%%%', FERNET.key],
  ])('not with %s', (_what, token, key) => {
    expect(openFernet(token, key)).toBeUndefined();
  });
  test('keys of vendors are not taken for one', () => {
    for (const key of ['sk-proj-gAAAAABcdefghijklmnop', 'gsk_gAAAAAAAAAAAAAAAA', 'gAAAAA', 'correct horse'])
      expect(looksLikeFernet(key)).toBe(false);
  });
});

describe('the store', () => {
  const store = (): SecretStore => new SecretStore(at('secrets.json'), at('key'));
  const content = () =>
    JSON.parse(readFileSync(at('secrets.json'), 'utf8')) as { secrets: Record<string, { nonce: string; text: string }> };
  const rewrite = (change: (secrets: Record<string, object>) => void): void => {
    const file = content();
    change(file.secrets);
    writeFileSync(at('secrets.json'), JSON.stringify(file));
  };

  test('gives back what it was given, and shows nothing but names', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z_]{1,20}$/), fc.stringMatching(/^[ -~\u00a1-\uffee]{1,50}$/), (name, value) => {
        store().set(name, value);
        expect(store().get(name)).toBe(value.toWellFormed());
        expect(store().names()).toContain(name);
      }),
      { numRuns: 30 },
    );
    expect(store().get('nobody')).toBeUndefined();
    expect(store().get('toString')).toBeUndefined();
  });
  test("files are their owner's alone; nothing is readable in them; a value is never sealed the same way twice", () => {
    store().set('A_KEY', 'the secret itself');
    const first = content().secrets['A_KEY']!;
    store().set('A_KEY', 'the secret itself');
    const second = content().secrets['A_KEY']!;
    expect([statSync(at('secrets.json')).mode & 0o777, statSync(at('key')).mode & 0o777]).toEqual([0o600, 0o600]);
    expect(readFileSync(at('secrets.json'), 'utf8')).not.toMatch(/secret itself/);
    expect(first.nonce).not.toBe(second.nonce);
    expect(first.text).not.toBe(second.text);
    expect(existsSync(at('secrets.json.new'))).toBe(false);
  });
  test('removes', () => {
    store().set('A_KEY', 'one');
    expect([store().remove('A_KEY'), store().remove('A_KEY'), store().names()]).toEqual([true, false, []]);
  });

  test.each<[string, () => void, RegExp]>([
    ['a key that others may read', () => chmodSync(at('key'), 0o640), /SECRETS_KEY_FILE: expected .*chmod 600/],
    ['a lost key', () => rmSync(at('key')), /SECRETS_KEY_FILE: expected the key of/],
    [
      'another key',
      () => writeFileSync(at('key'), Buffer.alloc(32).toString('base64')),
      /A_KEY: expected a value .* set it again/,
    ],
    ['half a key', () => writeFileSync(at('key'), 'AAAA'), /SECRETS_KEY_FILE: expected 32 bytes/],
    ['a changed value', () => rewrite((all) => (all['A_KEY'] = { ...all['A_KEY'], text: 'AAAA' })), /A_KEY/],
    ['a value under another name', () => rewrite((all) => (all['A_KEY'] = all['B_KEY']!)), /A_KEY/],
    ['a shortened seal', () => rewrite((all) => (all['A_KEY'] = { ...all['A_KEY'], tag: 'AAAAAAA=' })), /A_KEY/],
    ['another version', () => writeFileSync(at('secrets.json'), '{"version": 2, "secrets": {}}'), /SECRETS_FILE/],
    ['half a file', () => writeFileSync(at('secrets.json'), '{"version": 1,'), /SECRETS_FILE/],
    ['a huge file', () => writeFileSync(at('secrets.json'), Buffer.alloc(2 ** 20 + 1)), /SECRETS_FILE.* larger/],
  ])('refuses %s, and then keeps nothing new either', (_what, spoil, complaint) => {
    store().set('A_KEY', 'one of the secrets');
    store().set('B_KEY', 'another secret');
    spoil();
    expect(() => store().get('A_KEY')).toThrow(complaint);
    const before = readFileSync(at('secrets.json'));
    expect(() => store().set('C_KEY', 'a third')).toThrow(SecretProblem);
    expect(readFileSync(at('secrets.json')).equals(before)).toBe(true);
    expect(existsSync(at('secrets.json.new'))).toBe(false);
  });
  test('refuses a change while another one is underway', () => {
    writeFileSync(at('secrets.json.new'), '');
    expect(() => store().set('A_KEY', 'value')).toThrow(/no other change underway/);
  });
  test.each(['', 'two\nlines', 'x'.repeat(9000)])('refuses %j', (value) => {
    expect(() => store().set('A_KEY', value)).toThrow(SecretProblem);
    expect(existsSync(at('secrets.json'))).toBe(false);
  });
});

describe('where a secret is found', () => {
  const vendor = { name: 'vendor', setUp: (env: Environment) => env.secret('VENDOR_KEY', 'Its key') };
  const settingsOf = (environment: Record<string, string>) =>
    readSettings(new Environment(SettingSources.ofMachine(environment, folder, folder)), [vendor]);
  const found = (environment: Record<string, string> = {}): unknown => settingsOf(environment).providers.options.get('vendor');
  const complaint = (environment: Record<string, string>): string => {
    try {
      settingsOf(environment);
    } catch (error) {
      if (error instanceof SettingsError) return error.message;
    }
    throw new Error('no complaint');
  };
  const store = () => new SecretStore(at('secrets.json'), join(folder, '.pastel', 'inference-secrets.key'));

  test('environment > _FILE > .env > the store', () => {
    expect(found()).toBeUndefined();
    store().set('VENDOR_KEY', 'of the store');
    expect(found()).toBe('of the store');
    writeFileSync(at('.env'), 'VENDOR_KEY=\n');
    expect(found()).toBe('of the store');
    writeFileSync(at('.env'), 'VENDOR_KEY=of the .env = all of it\n');
    expect(found()).toBe('of the .env = all of it');
    writeFileSync(at('key.txt'), 'of the file\r\n', { mode: 0o600 });
    expect(found({ VENDOR_KEY_FILE: at('key.txt') })).toBe('of the file');
    expect(found({ VENDOR_KEY_FILE: at('key.txt'), VENDOR_KEY: 'of the environment' })).toBe('of the environment');
    expect(found({ VENDOR_KEY: '' })).toBeUndefined();
    expect(settingsOf({ VENDOR_KEY_FILE: at('key.txt') })).toMatchObject({ secrets: ['of the file'], warnings: [] });
  });
  test('all of them before pastel.conf', () => {
    store().set('LOCAL_PASTEL_ID_PASSPHRASE', 'of the store');
    writeFileSync(join(folder, '.pastel', 'pastel.conf'), 'genpassphrase=of the conf\nrpcpassword=rpc of the conf\n');
    expect(settingsOf({}).secrets).toEqual(['rpc of the conf', 'of the store']);
  });
  test('an address is one too, for the password in it', () => {
    writeFileSync(at('url.txt'), 'postgres://me:p%40ss%20words@host/books\n', { mode: 0o600 });
    const { database, secrets } = settingsOf({ DATABASE_URL_FILE: at('url.txt') });
    expect([database.url, secrets]).toEqual(['postgres://me:p%40ss%20words@host/books', ['p@ss words']]);
    expect(settingsOf({ DATABASE_URL: 'postgres://me:100%@host/books' }).secrets).toEqual(['100%']);
    expect(settingsOf({}).database.url).toBe('sqlite:./data/supernode.sqlite');
  });
  test('a file that others may read: used, with a warning that does not show it', () => {
    writeFileSync(at('key.txt'), 'of the file', { mode: 0o644 });
    const { warnings } = settingsOf({ VENDOR_KEY_FILE: at('key.txt') });
    expect(warnings).toEqual([expect.stringMatching(/VENDOR_KEY_FILE.*chmod 600/)]);
    expect(warnings.join()).not.toContain('of the file');
  });
  test('a short one: used, with a warning, for it is not struck from the log', () => {
    expect(settingsOf({ VENDOR_KEY: 'short' }).warnings).toEqual([expect.stringContaining('VENDOR_KEY')]);
  });
  test.each([
    ['no file', (path: string) => rmSync(path), /VENDOR_KEY_FILE: .*does not exist/],
    ['an empty file', (path: string) => writeFileSync(path, '\n'), /VENDOR_KEY: expected something in it/],
    ['a large file', (path: string) => writeFileSync(path, 'x'.repeat(9000)), /VENDOR_KEY_FILE: .*larger than 8192/],
    ['two lines', (path: string) => writeFileSync(path, 'ab\ncd'), /VENDOR_KEY: expected one line/],
  ])('%s is told at the start', (_what, spoil, expected) => {
    writeFileSync(at('key.txt'), 'secret words');
    spoil(at('key.txt'));
    expect(complaint({ VENDOR_KEY_FILE: at('key.txt') })).toMatch(expected);
    expect(complaint({ VENDOR_KEY_FILE: folder })).toContain('no ordinary file');
  });
  test('a store that cannot be opened is told once', () => {
    store().set('VENDOR_KEY', 'of the store');
    store().set('OPERATOR_TOKEN', 'another of the store');
    chmodSync(join(folder, '.pastel', 'inference-secrets.key'), 0o604);
    expect(complaint({}).match(/SECRETS_KEY_FILE/g)).toHaveLength(1);
  });
  test("the original's encrypted values are opened wherever they stand", () => {
    const token = fernetOf(Buffer.from('sk-of-the-original')).replaceAll('=', '%3D');
    writeFileSync(at('.env'), `VENDOR_KEY=${token}\n`);
    expect(complaint({})).toMatch(/VENDOR_KEY: expected a plain value.*FERNET_KEY_FILE.*does not exist/);
    writeFileSync(at('env_encryption_key_for_supernode_inference_app'), `${'A'.repeat(43)}=`);
    expect(complaint({})).toMatch(/VENDOR_KEY: expected a plain value, or an encrypted one/);
    expect(complaint({})).not.toContain(token.slice(0, 20));
    writeFileSync(at('fernet key'), FERNET.key);
    expect(found({ FERNET_KEY_FILE: at('fernet key') })).toBe('sk-of-the-original');
    expect(settingsOf({ FERNET_KEY_FILE: '~/fernet key' }).secrets).toEqual(['sk-of-the-original']);
  });
});

describe('striking secrets from a text', () => {
  const secrets = fc.stringMatching(/^[!-~\u00a1-\u07ff][ -~\u00a1-\u07ff]{14,40}$/u);
  const ways: [string, (text: string, left: string) => string][] = [
    ['as it is', (text, left) => left + text],
    ['in JSON', (text, left) => JSON.stringify({ [left]: text })],
    ['in JSON in JSON', (text) => JSON.stringify({ a: JSON.stringify({ b: text }) })],
    ['in an address', (text) => encodeURIComponent(text)],
    ['in a query', (text) => new URLSearchParams({ a: text }).toString()],
    ['in an address with small digits', (text) => encodeURIComponent(text).replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())],
    ['as base64', (text, left) => Buffer.from(left + text).toString('base64')],
    ['as URL-safe base64', (text, left) => Buffer.from(left + text).toString('base64url')],
    ['as a Basic header', (text) => Buffer.from(`user:${text}`).toString('base64')],
  ];
  test.each(ways)('%s', (_how, write) => {
    fc.assert(
      fc.property(secrets, fc.string({ maxLength: 9 }), (secret, left) => {
        expect(new Secrets(['an unrelated one', secret]).strike(write(secret, left))).toContain(REDACTED);
      }),
    );
  });
  test('short ones are not looked for, and would blank nothing', () => {
    expect(new Secrets(['node', '', 'devnet']).strike('a node of the devnet')).toBe('a node of the devnet');
    expect(formsOf('quite long').every((form) => form.length >= 8)).toBe(true);
  });
});
