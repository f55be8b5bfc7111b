import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Environment, readSettings } from '#config';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { entriesOf, entryText, MESSAGE_CHARACTERS_MAX } from './log-line.rules.js';
import { oldFile, RotatingFile } from './rotating-file.js';
import { createLogger } from './winston-logger.js';

const AT = '2026-01-05 12:00:00,000';
let folder: string;
let file: string;
const content = (path = file): string => readFileSync(path, 'utf8');
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pastel-logs-'));
  file = join(folder, 'logs', 'log.txt');
});
afterEach(() => rmSync(folder, { recursive: true }));
const logger = (level = 'info', secrets: string[] = []) =>
  createLogger({ level, file, toConsole: false }, { clock: new ManualClock(), secrets });

describe('lines', () => {
  test("the seed's form, with who speaks", () => {
    const log = logger();
    log.log('hello', 'Bootstrap');
    log.warn('careful');
    log.error('broken', 'Error: broken\n    at place (file.ts:1:1)', 'Inbox');
    log.fatal(new Error('end', { cause: new Error('its cause') }), 'Main');
    log.log({ credits: 12, nested: { deep: true } });
    const entries = entriesOf(content());
    expect(content()).toMatch(new RegExp(`^${AT} - INFO - \\[Bootstrap\\] hello\n${AT} - WARNING - careful\n`));
    expect(entries.map(({ level }) => level)).toEqual(['INFO', 'WARNING', 'ERROR', 'CRITICAL', 'INFO']);
    expect(entries[2]!.message).toBe('[Inbox] broken\n    Error: broken\n        at place (file.ts:1:1)');
    expect(entries[3]!.message).toMatch(/^\[Main\] Error: end\n[^]*caused by Error: its cause/);
    expect(entries[4]!.message).toBe('{ credits: 12, nested: { deep: true } }');
  });

  test('only those of the level or above', () => {
    const log = logger('warn');
    log.log('no');
    log.debug('no');
    log.verbose('no');
    log.warn('yes');
    expect(entriesOf(content()).map(({ message }) => message)).toEqual(['yes']);
  });

  test('no secret, wherever it hides', () => {
    const log = logger('info', ['operator-token-0123456789']);
    log.log({ headers: { authorization: 'Bearer operator-token-0123456789' } });
    log.error(new Error('GET http://user:s3cret@127.0.0.1:19932 failed'), 'Rpc');
    expect(content()).not.toMatch(/operator-token|s3cret/);
  });

  test('no text can pass for another entry, steer a terminal or grow without limit', () => {
    const forged = `x\n${AT} - ERROR - forged\r${AT} - ERROR - forged\u2028\u001b[2J\u202e`;
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.constant(forged)), (message) => {
        const text = entryText({ at: new Date('2026-01-05T12:00:00Z'), level: 'INFO', message });
        const entries = entriesOf(`${text}\n`);
        expect(entries.map(({ time, level }) => [time, level])).toEqual([[AT, 'INFO']]);

        expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
      }),
    );
    const long = entryText({ at: new Date(0), level: 'INFO', message: 'y'.repeat(50_000) });
    expect(long.length).toBeLessThan(MESSAGE_CHARACTERS_MAX + 100);
  });

  test('both forms of time and the name of the logger are understood', () => {
    expect(
      entriesOf('2024-08-12 10:00:00 - pastel_supernode_inference_layer - INFO - a\n\n2024-08-12 10:00:01,5 - no\n  more\n'),
    ).toEqual([{ time: '2024-08-12 10:00:00,000', level: 'INFO', message: 'a\n2024-08-12 10:00:01,5 - no\n  more' }]);
  });
});

describe('the file', () => {
  const filled = (bytesMax: number, lines: number): void => {
    const rotating = new RotatingFile(file, bytesMax);
    for (let index = 0; index < lines; index += 1) rotating.write(`${String(index).padStart(9, '0')}\n`);
    rotating.settle();
  };

  test('moves away when full, five older ones stay, no line is lost or halved', () => {
    filled(100, 47);
    const all = [5, 4, 3, 2, 1].filter((age) => age < 5).map((age) => content(oldFile(file, age)));
    expect([...all, content()].join('')).toBe(
      Array.from({ length: 47 }, (_, index) => `${String(index).padStart(9, '0')}\n`).join(''),
    );
    filled(100, 40);
    expect(statSync(oldFile(file, 5)).size).toBe(100);
    expect(() => statSync(oldFile(file, 6))).toThrow('ENOENT');
    expect(oldFile('a/log.txt', 1)).toBe(join('a', 'old_logs', 'log.txt.1'));
  });

  test('each line is there when the call returns, and after a flush still', () => {
    const log = logger();
    for (let index = 0; index < 2000; index += 1) log.log(`line ${index}`);
    expect(entriesOf(content())).toHaveLength(2000);
    log.flush();
    log.onApplicationShutdown();
    log.log('after the end');
    expect(entriesOf(content())).toHaveLength(2001);
  });

  test('is begun anew when somebody removed it', () => {
    const log = logger();
    log.log('one');
    rmSync(file);
    log.log('two');
    expect(content()).toBe(`${AT} - INFO - two\n`);
  });

  test('that cannot be written does not stop the node', () => {
    writeFileSync(join(folder, 'logs'), 'a file where the folder should be');
    const said: string[] = [];
    const write = process.stderr.write.bind(process.stderr);
    process.stderr.write = (text: string) => said.push(text) > 0;
    try {
      const log = logger();
      log.log('lost');
      log.log('lost too');
      expect(said).toHaveLength(1);
      rmSync(join(folder, 'logs'));
      mkdirSync(join(folder, 'logs'));
      log.log('back');
    } finally {
      process.stderr.write = write;
    }
    expect(content()).toBe(`${AT} - INFO - back\n`);
  });
});

test('every secret of the settings is known to the redaction', () => {
  const environment = new Environment({
    RPC_PASSWORD: 'rpc-password-1',
    LOCAL_PASTEL_ID_PASSPHRASE: 'passphrase-2',
    OPERATOR_TOKEN: 'operator-token-number-3',
    VENDOR_API_KEY: 'api-key-4',
    DATABASE_URL: 'postgres://me:data%20base-5@host/db',
  });
  const { secrets } = readSettings(environment, [{ name: 'vendor', setUp: (env) => env.secret('VENDOR_API_KEY', '') }]);
  expect(secrets).toEqual(['rpc-password-1', 'passphrase-2', 'operator-token-number-3', 'data base-5', 'api-key-4']);
  // A new secret setting has to find its way into the list.
  expect(environment.described.filter(({ secret }) => secret)).toHaveLength(secrets.length);
});
