import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { InferenceSettings, MenuSettings } from '#config';
import { identityFromSeed, pooledChecking, type Entropy, type Signing } from '#protocol';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import { Outgoing } from '../execution/outgoing/outgoing.service.js';
import { bundledMenuText } from './bundled-menu.js';
import type { MenuFile } from './menu-file.js';
import { ModelMenu } from './model-menu.service.js';

const URL_OF_MENU = 'https://menu.example/model_menu.json';
const [signer, forger] = [9, 8].map((n) => identityFromSeed(Buffer.alloc(57, n))) as [Signing, Signing];
const settings = { executionSecondsMax: 600, outgoingPrivateAddresses: [] as readonly string[] } as InferenceSettings;
const menuSettings = { url: URL_OF_MENU, sha256: undefined, signer: undefined, refreshMs: 3_600_000, typesAsText: false };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** One more model, and a higher version. */
function menuText(version: number, change: (menu: MenuFile) => object = (menu) => menu): string {
  const bundled = JSON.parse(bundledMenuText()) as MenuFile;
  const extra = {
    ...bundled.models.find(({ model_name }) => model_name === 'openai-gpt-4o')!,
    model_name: `openai-new-${version}`,
  };
  return JSON.stringify(change({ ...bundled, version, models: [...bundled.models, extra] }));
}

let server: Server;
let serve: RequestListener;
let directory: string;
let clock: ManualClock;
let warnings: string[];
beforeAll(async () => {
  server = createServer((request, response) => serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'menu-'));
  clock = new ManualClock();
  warnings = [];
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((text: unknown) => void warnings.push(String(text)));
  jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await rm(directory, { recursive: true });
});

/** The guarded client, with the address of the menu led to the server here; certificates are another's business. */
class LedOutgoing extends Outgoing {
  override client() {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = super.client({ ownUrls: [origin] });
    client.interceptors.request.use((config) => ({ ...config, url: config.url!.replace('https://menu.example', origin) }));
    return client;
  }
}
/** Waits are as long as their middle. */
const even = { below: (n: number) => Math.floor(n / 2) } as Entropy;
function started(trust: Partial<MenuSettings>): Promise<ModelMenu> {
  const own = { ...menuSettings, directory, ...trust };
  const menu = new ModelMenu(own, new LedOutgoing(settings), pooledChecking, clock, even);
  return menu.onModuleInit().then(() => menu);
}
const sweep = (menu: ModelMenu): Promise<void> => menu.sweep();
const names = (menu: ModelMenu): string[] => menu.modelsOf('openai').map(({ entry }) => entry.model_name);
const serving = (text: string): void => {
  serve = (_, response) => response.end(text);
};
const servingSigned = async (text: string, by = signer): Promise<void> => {
  const signature = await by.sign(sha256(text));
  serve = (request, response) => response.end(request.url === '/model_menu.json.sig' ? `${signature}\n` : text);
};

test('a menu of the hash that was set takes the place of the old one, and is there again after a restart without the server', async () => {
  const text = menuText(100);
  serving(text);
  const menu = await started({ sha256: sha256(text) });
  expect(names(menu)).not.toContain('openai-new-100');
  await sweep(menu);
  expect(menu.version).toBe(100);
  expect(names(menu)).toContain('openai-new-100');
  expect((await stat(join(directory, 'model_menu.kept.json'))).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['model_menu.kept.json']);

  const again = await started({ sha256: sha256(text) });
  expect(again.version).toBe(100);
  expect(warnings).toEqual([]);
});

test('a signed menu may change, but never back', async () => {
  const menu = await started({ signer: signer.pastelId });
  await servingSigned(menuText(7));
  await sweep(menu);
  expect(menu.version).toBe(7);

  await servingSigned(menuText(6));
  clock.advance(3_600_000);
  await sweep(menu);
  expect(menu.version).toBe(7);
  expect(warnings.pop()).toMatch(/^The fetched model menu is not used: its version 6 is older than 7$/);

  await servingSigned(menuText(7, (other) => ({ ...other, published: '2026-01-01' })));
  clock.advance(300_000);
  await sweep(menu);
  expect(warnings.pop()).toMatch(/differs from the menu in use, but has the same version 7/);

  await servingSigned(menuText(8));
  clock.advance(300_000);
  await sweep(menu);
  expect(menu.version).toBe(8);
});

test('it is asked again after the time that was set, and soon after a failure', async () => {
  let asked = 0;
  serve = (_, response) => {
    asked++;
    response.writeHead(503).end();
  };
  const menu = await started({ sha256: '0'.repeat(64), refreshMs: 3_600_000 });
  await Promise.all([sweep(menu), sweep(menu)]);
  expect(asked).toBe(1);
  clock.advance(299_000);
  await sweep(menu);
  expect(asked).toBe(1);
  clock.advance(2000);
  await sweep(menu);
  expect(asked).toBe(2);
});

const good = menuText(50);
test.each<[string, Partial<MenuSettings>, () => void | Promise<void>, RegExp]>([
  ['of another hash', { sha256: sha256('x') }, () => serving(good), /is not used: its SHA-256 is/],
  [
    'without a signature',
    { signer: signer.pastelId },
    () => {
      serve = (request, response) => (request.url!.endsWith('.sig') ? response.writeHead(404).end() : response.end(good));
    },
    /cannot be fetched: Request failed with status code 404/,
  ],
  [
    'with an empty signature',
    { signer: signer.pastelId },
    () => {
      serve = (request, response) => response.end(request.url!.endsWith('.sig') ? '' : good);
    },
    /is not used: it is not signed by jX/,
  ],
  ['signed by somebody else', { signer: signer.pastelId }, () => servingSigned(good, forger), /it is not signed by/],
  [
    'with the signature of another menu',
    { signer: signer.pastelId },
    async () => {
      const signature = await signer.sign(sha256('x'));
      serve = (request, response) => response.end(request.url!.endsWith('.sig') ? signature : good);
    },
    /it is not signed by/,
  ],
  [
    'that is signed but has another hash than the one that was set too',
    { signer: signer.pastelId, sha256: sha256('x') },
    () => servingSigned(good),
    /its SHA-256 is/,
  ],
  [
    'that is vouched for but faulty',
    { signer: signer.pastelId },
    () => servingSigned(menuText(50, (menu) => ({ ...menu, models: [{ ...menu.models[0], prize: 1 }] }))),
    /Bad model menu:\n {2}openai-gpt-4o: prize is unknown/,
  ],
  ['that is no menu', { sha256: sha256('[]') }, () => serving('[]'), /it is not an object/],
  [
    'that is cut',
    { sha256: sha256(good) },
    () => {
      serve = (_, response) => {
        response.writeHead(200, { 'content-length': good.length });
        response.write(good.slice(0, 1000), () => response.destroy());
      };
    },
    /cannot be fetched/,
  ],
  [
    'of 10 MB',
    { sha256: sha256(good) },
    () => serving(`${good}${' '.repeat(10_000_000)}`),
    /cannot be fetched: maxContentLength/,
  ],
  [
    'that is elsewhere',
    { sha256: sha256(good) },
    () => {
      serve = (request, response) =>
        request.url === '/moved' ? response.end(good) : response.writeHead(302, { location: '/moved' }).end();
    },
    /cannot be fetched/,
  ],
])('a menu %s changes nothing', async (_, trust, prepare, expected) => {
  await prepare();
  const menu = await started(trust);
  const before = { version: menu.version, names: names(menu) };
  await sweep(menu);
  expect({ version: menu.version, names: names(menu) }).toEqual(before);
  expect(warnings.join('\n')).toMatch(expected);
  expect(await readdir(directory)).toEqual([]);
});

test.each([
  ['half a file', '{"body": "eyJ2ZXJz'],
  ['another file', '{"body": 3}'],
  ['a menu of another hash', JSON.stringify({ body: Buffer.from(good).toString('base64') })],
])('%s where the last menu was kept is not used', async (_, content) => {
  await writeFile(join(directory, 'model_menu.kept.json'), content);
  const menu = await started({ sha256: sha256('x') });
  expect(menu.version).toBe((JSON.parse(bundledMenuText()) as MenuFile).version);
});

test('a menu that cannot be kept is used all the same', async () => {
  await writeFile(join(directory, 'file'), '');
  serving(good);
  const menu = await started({ sha256: sha256(good), directory: join(directory, 'file') });
  await sweep(menu);
  expect(menu.version).toBe(50);
  expect(warnings.join()).toMatch(/cannot be kept/);
});

test('without an address nothing is asked or read', async () => {
  serve = () => {
    throw new Error('asked');
  };
  await writeFile(join(directory, 'model_menu.kept.json'), JSON.stringify({ body: Buffer.from(good).toString('base64') }));
  const menu = await started({ url: undefined });
  await sweep(menu);
  expect(menu.version).not.toBe(50);
  expect(warnings).toEqual([]);
});
