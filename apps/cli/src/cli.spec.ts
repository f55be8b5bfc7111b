import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SettingSources, SystemClock, SystemEntropy } from '#config';
import { Devnet } from '#devnet';
import { jsonFile } from './json-file.js';
import { run } from './main.js';
import { explain, progressLine, table, type Terminal } from './output.js';
import { UserNode } from './user-node.js';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pastel-cli-'));
});
afterAll(() => rm(directory, { recursive: true }));

function screen() {
  const [out, error]: [string[], string[]] = [[], []];
  const terminal: Terminal = { out: (text) => void out.push(text), error: (text) => void error.push(text) };
  return { terminal, out, error, all: () => [...out, ...error].join('\n') };
}

describe('the command line', () => {
  test.each([
    [['fly'], "unknown command 'fly'"],
    [['buy'], "missing required argument 'credits'"],
    [['buy', '15', '--cheap'], "unknown option '--cheap'"],
    [['buy', '1.5'], 'no whole number of credits'],
    [['buy', '15', '--max-price', 'much'], 'no amount of PSL'],
    [['infer', 'x', '--max-credits', '0.05'], '--max-credits'],
    [['infer', 'x', '--param', 'temperature'], 'name=value'],
    [['audit', 'that one'], 'no id of an inference response'],
    [['rate', '6f1c1a54-0f5e-4b8e-9c53-6d1f4b1f0a11', 'good'], 'no rating'],
    [['--pastelid', 'jXnobody', 'balance'], 'is no PastelID'],
  ])('%j is wrong use: exit code 2', async (args, complaint) => {
    const { terminal, error, out } = screen();
    expect(await run(args, terminal)).toBe(2);
    expect(error.join('\n')).toContain(complaint);
    expect(out).toEqual([]);
  });

  test('helps on demand: exit code 0', async () => {
    const { terminal, all } = screen();
    expect(await run(['--help'], terminal)).toBe(0);
    for (const command of ['network', 'buy', 'packs', 'balance', 'quote', 'infer', 'audit', 'rate'])
      expect(all()).toContain(command);
  });
});

describe('on a network of this machine', () => {
  let devnet: Devnet;
  let server: Awaited<ReturnType<Devnet['listen']>>;
  beforeAll(async () => {
    const user = { user: 'devnet', password: 'devnet' };
    const supernodes = [{ user: 'sn1', password: 'p', ip: '127.0.0.1', port: 9 }];
    devnet = await Devnet.create({
      clock: new SystemClock(),
      entropy: new SystemEntropy(),
      user,
      supernodes,
      blocks: 'on demand',
    });
    server = await devnet.listen('127.0.0.1', 0);
    for (const [name, value] of Object.entries(environment())) process.env[name] = value;
  });
  afterAll(async () => {
    for (const name of Object.keys(environment())) delete process.env[name];
    await server.close();
    await devnet.close();
  });
  const environment = (): Record<string, string> => ({
    RPC_HOST: '127.0.0.1',
    RPC_PORT: new URL(server.url).port,
    RPC_USER: 'devnet',
    RPC_PASSWORD: 'devnet',
    NETWORK: 'devnet',
    SUPERNODE_API_PORT: 'listed',
  });

  test('network: the supernodes and the wallet, as text and as JSON; a dead supernode is told, not fatal', async () => {
    const [text, json] = [screen(), screen()];
    expect(await run(['network'], text.terminal)).toBe(0);
    expect(text.out.join()).toContain(devnet.supernodes[0]!.pastelId);
    expect(text.out.join()).toContain('no answer');
    expect(await run(['network', '--json'], json.terminal)).toBe(0);
    expect(JSON.parse(json.out.join())).toMatchObject({ network: 'devnet', supernodes: [{ alive: false, models: [] }] });
  });

  test('who has no PastelID is told how to get one', async () => {
    const { terminal, error } = screen();
    expect(await run(['packs'], terminal)).toBe(2);
    expect(error.join()).toContain('pastel-inference pastelid');
  });

  test('where no supernode answers, exit code 1 and why', async () => {
    const { terminal, error } = screen();
    process.env['LOCAL_PASTEL_ID_PASSPHRASE'] = 'words';
    expect(await run(['--pastelid', devnet.supernodes[0]!.pastelId, 'packs'], terminal)).toBe(1);
    delete process.env['LOCAL_PASTEL_ID_PASSPHRASE'];
    expect(error.join()).toContain('No supernode answered');
  });

  test('where no node answers, exit code 3 and what to start', async () => {
    const { terminal, error } = screen();
    process.env['RPC_PORT'] = '9';
    expect(await run(['network'], terminal)).toBe(3);
    process.env['RPC_PORT'] = new URL(server.url).port;
    expect(error.join('\n')).toContain('npm start');
    expect(error.join('\n')).not.toContain('devnet:devnet');
  });
});

describe('whose node it is', () => {
  test("nobody named one: the local devnet, and its demo's identity", async () => {
    const node = new UserNode({}, screen().terminal, directory, SettingSources.of({ HOME: directory }));
    expect([node.isLocalDevnet, node.networkName]).toEqual([true, 'devnet']);
    await expect(node.userSide()).rejects.toThrow('No PastelID');
    const pastelId = 'jXXym9nonjQSw9RE7CWnRcdtQPSakTV9Az1rmYkVUHeecEBpBidNcpC95NjYtLnd5YtEaqq6nLLZHnRzQ1iKw7';
    await jsonFile(join(directory, 'data', 'devnet', 'user.json')).save('test: stored', {
      pastelId,
      passphrase: 'demo',
      packTxid: 'ab',
    });
    expect((await node.userSide()).signing.pastelId).toBe(pastelId);
    node.close();
  });

  test('a named one: never the demo identity, and never a passphrase that is not given', async () => {
    const node = new UserNode({}, screen().terminal, directory, SettingSources.of({ RPC_PORT: '19932', RPC_USER: 'me' }));
    expect([node.isLocalDevnet, node.networkName, await node.demoUser()]).toEqual([false, 'testnet', undefined]);
    await expect(node.userSide()).rejects.toThrow('No PastelID');
    node.close();
  });
});

describe('a file of the client', () => {
  test('keeps what was saved, for the user alone, and forgets', async () => {
    const file = jsonFile<{ n: number }>(join(directory, 'deep', 'er', 'state.json'));
    expect(await file.load()).toBeUndefined();
    await file.save('test: stored', { n: 1 });
    await file.save('test: stored', { n: 2 });
    expect(await file.load()).toEqual({ n: 2 });
    expect((await stat(join(directory, 'deep', 'er', 'state.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(join(directory, 'deep', 'er'))).toEqual(['state.json']);
    await file.save('test: stored', undefined);
    expect(await file.load()).toBeUndefined();
  });

  test('that is damaged is not taken for an empty one', async () => {
    await writeFile(join(directory, 'broken.json'), '{"n":');
    await expect(jsonFile(join(directory, 'broken.json')).load()).rejects.toThrow();
    expect(await readFile(join(directory, 'broken.json'), 'utf8')).toBe('{"n":');
  });
});

test('lines on the screen', () => {
  expect(progressLine({ step: 'burn', text: 'Burned', patoshis: 150_000, waitsFor: 'a block' })).toBe(
    '  burn: Burned [1.50000 PSL]\n    waiting for a block ...',
  );
  expect(
    table([
      ['a', 'bb'],
      ['ccc', 'd'],
    ]),
  ).toBe('a    bb\nccc  d');
  const { terminal, error } = screen();
  expect(explain(new TypeError('a fault of ours'), terminal)).toBe(1);
  expect(error.join()).toContain('cli.spec');
});
