import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Environment, readSettings, SettingSources } from '#config';
import { providers } from '#inference';
import { run } from './main.js';
import { secretFromUser } from './secrets.js';

const VALUE = 'sk-typed-by-the-operator=with/signs';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pastel-secrets-'));
  process.env['SECRETS_FILE'] = join(folder, 'secrets.json');
  process.env['SECRETS_KEY_FILE'] = join(folder, 'apart', 'key');
});
afterEach(() => {
  delete process.env['SECRETS_FILE'];
  delete process.env['SECRETS_KEY_FILE'];
  rmSync(folder, { recursive: true });
});

async function type(args: string[], value = VALUE): Promise<{ code: number; out: string; error: string }> {
  const [out, error]: [string[], string[]] = [[], []];
  const terminal = { out: (text: string) => void out.push(text), error: (text: string) => void error.push(text) };
  const code = await run(['secrets', ...args], terminal, async () => value);
  return { code, out: out.join('\n'), error: error.join('\n') };
}

test('set, list and remove; the supernode finds it; the value shows nowhere', async () => {
  const replies = [await type(['set', 'OPENAI_API_KEY']), await type(['list'])];
  const sources = SettingSources.ofMachine(process.env, folder, folder);
  const settings = readSettings(new Environment(sources), providers);
  expect(settings.secrets).toContain(VALUE);
  expect(settings.providers.options.has('openai')).toBe(true);
  replies.push(await type(['remove', 'OPENAI_API_KEY']), await type(['list', '--json']));
  expect(replies.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect([replies[1]!.out, replies[3]!.out]).toEqual(['OPENAI_API_KEY', '[]']);
  expect((await type(['list'])).out).toBe('No secrets are kept here.');
  expect(JSON.stringify(replies)).not.toContain(VALUE.slice(0, 10));
  expect(readFileSync(join(folder, 'secrets.json'), 'utf8')).not.toContain(VALUE.slice(0, 10));
  expect(statSync(join(folder, 'apart', 'key')).mode & 0o777).toBe(0o600);
});

test('a name that no setting has is refused, with the names that exist', async () => {
  const { code, error } = await type(['set', 'OPENAI_KEY']);
  expect(code).toBe(2);
  for (const name of [
    'OPENAI_KEY',
    'OPENAI_API_KEY',
    'LOCAL_PASTEL_ID_PASSPHRASE',
    'RPC_PASSWORD',
    'OPERATOR_TOKEN',
    'DATABASE_URL',
  ])
    expect(error).toContain(name);
  expect(existsSync(join(folder, 'secrets.json'))).toBe(false);
  expect((await type(['remove', 'OPENAI_API_KEY'])).code).toBe(2);
});

test('a value is never taken from the command line, nor shown where it stands in the place of a name', async () => {
  const replies = [await type(['set', 'OPENAI_API_KEY', VALUE]), await type(['set', VALUE]), await type(['remove', VALUE])];
  expect(replies.map(({ code }) => code)).toEqual([2, 2, 2]);
  expect(JSON.stringify(replies)).not.toContain(VALUE);
});

test.each([
  ['', 'something in it'],
  ['two\nlines', 'one line'],
])('%j is no secret', async (value, complaint) => {
  const { code, error } = await type(['set', 'OPENAI_API_KEY'], value);
  expect([code, error]).toEqual([
    2,
    `Error: OPENAI_API_KEY: expected ${complaint}${value === '' ? '' : ' of text without control characters'}`,
  ]);
});

describe('what the user enters', () => {
  const keyboard = () => Object.assign(new PassThrough(), { isTTY: true }) as unknown as NodeJS.ReadStream & PassThrough;

  test('is not shown on a terminal', async () => {
    const [stdin, screen] = [keyboard(), new PassThrough()];
    const entered = secretFromUser(stdin, screen)('OPENAI_API_KEY');
    stdin.write(`${VALUE}\r`);
    expect(await entered).toBe(VALUE);
    expect(String(screen.read())).toBe('OPENAI_API_KEY: \n');
  });
  test.each(['\u0003', '\u0004'])('%j: nothing is kept', async (key) => {
    const stdin = keyboard();
    const entered = secretFromUser(stdin, new PassThrough())('OPENAI_API_KEY');
    stdin.write(key);
    await expect(entered).rejects.toThrow('Nothing was entered');
  });
  test('comes from a pipe, without the end of its line, and is not read for ever', async () => {
    const pipe = (text: string) => new PassThrough().end(text) as unknown as NodeJS.ReadStream;
    expect(await secretFromUser(pipe(`${VALUE}\n`))('OPENAI_API_KEY')).toBe(VALUE);
    const endless = Readable.from(
      (function* () {
        for (;;) yield 'x'.repeat(1000);
      })(),
    ) as unknown as NodeJS.ReadStream;
    expect((await secretFromUser(endless)('OPENAI_API_KEY')).length).toBeLessThan(20_000);
  });
});
