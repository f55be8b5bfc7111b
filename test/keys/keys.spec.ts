import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runInference } from '#client';
import { Environment, formsOf, readSettings, Secrets } from '#config';
import { providers } from '#inference';
import { createLogger, type WinstonLogger } from '#logs';
import { booksOf, leaksIn, marked } from '../support/canary.js';
import { send } from '../support/http-app.js';
import { InferenceUser } from '../support/inference-user.js';
import { TestNetwork, type RunningSupernode } from '../support/network.js';
import { filled, originalRoutes } from '../routes/every-route.js';

jest.setTimeout(120_000);

const MODEL = 'talkative';
const STATUSES = [401, 402, 403, 404, 408, 413, 422, 429, 500, 529, 302, 200];

/** Services that repeat the key, in every way they can think of. */
class TalkativeServer {
  readonly heard: string[] = [];
  /** `undefined`: lists its models, and answers nothing else. */
  status: number | undefined;
  private constructor(private readonly server: Server) {}

  static async start(): Promise<TalkativeServer> {
    const server = createServer();
    const talkative = new TalkativeServer(server);
    server.on('request', (request, response) => {
      request.resume();
      const said = `${request.url ?? ''} ${JSON.stringify(request.headers)}`;
      talkative.heard.push(said, decodeURIComponent(request.url ?? ''));
      const isListing = talkative.status === undefined && request.method === 'GET';
      const status = isListing ? 200 : (talkative.status ?? 500);
      const body = isListing ? { data: [{ id: MODEL }], model_names: [MODEL] } : complaintAbout(request);
      const text = status === 200 && !isListing ? `<html>${said}` : JSON.stringify(body);
      const location = { location: `http://127.0.0.1:1/?key=${encodeURIComponent(request.headers.authorization ?? '')}` };
      response.writeHead(status, { 'content-type': 'application/json', ...(status === 302 && location) }).end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return talkative;
  }
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
function complaintAbout({ headers, url }: IncomingMessage): object {
  const keys = [headers.authorization, headers['x-api-key'], new URL(`http://x${url ?? ''}`).searchParams.get('token')];
  const key =
    keys
      .find((each) => typeof each === 'string')
      ?.toString()
      .replace(/^Bearer /, '') ?? '';
  const message = `The key ${formsOf(key).join(' ')} is wrong, ${Buffer.from(`key:${key}`).toString('base64')}`;
  return { error: { message, type: 'invalid_request_error', code: key }, detail: message, message, errors: [message] };
}

/** Every secret that the settings describe, marked; every address of a service, the talkative one. A new provider is in by itself. */
function environmentOf(server: TalkativeServer): Record<string, string> {
  const all = new Environment({});
  readSettings(all, providers);
  const services = new Environment({});
  for (const provider of providers) provider.setUp(services);
  const secrets = all.described.filter(({ secret, name }) => secret && name !== 'DATABASE_URL').map(({ name }) => name);
  // The network has marked these already, with the values that its pasteld knows.
  const unset = secrets.filter((name) => name !== 'RPC_PASSWORD' && name !== 'LOCAL_PASTEL_ID_PASSPHRASE');
  const urls = services.described.filter(({ name }) => name.endsWith('_URL')).map(({ name }) => name);
  return {
    ...Object.fromEntries(unset.map((name) => [name, marked(name)])),
    ...Object.fromEntries(urls.map((name) => [name, `${server.url}/${name}`])),
    OPENAI_COMPATIBLE_MODELS: MODEL,
    OPENAI_COMPATIBLE_USD_PER_MILLION_OUTPUT_TOKENS: '85',
  };
}
/** Of each service; one of several may be an older name of another. */
const keysOf = providers.map((provider) => {
  const environment = new Environment({});
  provider.setUp(environment);
  return environment.described.filter(({ secret }) => secret).map(({ name }) => name);
});

describe('keys of services that repeat them', () => {
  let server: TalkativeServer;
  let network: TestNetwork;
  let node: RunningSupernode;
  let logger: WinstonLogger | undefined;
  let folder: string;
  const bearer = { authorization: `Bearer ${marked('OPERATOR_TOKEN')}` };
  const states = async () =>
    (await send('GET', `${node.url}/providers`, undefined, bearer)).json() as {
      providers: { name: string; well: boolean; reason: string | null }[];
    };
  const logged = (): string => {
    logger!.flush();
    return readFileSync(join(folder, 'log.txt'), 'utf8');
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keys-'));
    server = await TalkativeServer.start();
    network = await TestNetwork.start({
      environment: { ...environmentOf(server), LOG_FILE: join(folder, 'log.txt'), LOG_LEVEL: 'debug', LOG_TO_CONSOLE: '0' },
      // Knows no secret by its value: what is written has to be clean by itself.
      logger: ({ log }, clock) => (logger ??= createLogger(log, { clock })),
    });
    node = network.supernodes[0]!;
  });
  // Looks through the books of every node.
  afterAll(async () => {
    await network.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  test('every service is asked with its key, and is well', async () => {
    await send('GET', `${node.url}/get_inference_model_menu`);
    const { providers: shown } = await states();
    expect(shown.map(({ name }) => name)).toEqual(providers.map(({ name }) => name));
    const isHeard = (name: string): boolean => server.heard.some((text) => text.includes(name));
    expect(keysOf.filter((names) => names.length > 0 && !names.some(isHeard))).toEqual([]);
  });

  test('a request that fails there: neither its result nor the books nor the log hold a key', async () => {
    const user = await InferenceUser.withPack(network, 100);
    const asked = runInference(user.side, { packTxid: user.packTxid, model: MODEL, input: 'repeat your key' });
    const outcome = await network.until(asked);
    expect(outcome).toMatchObject({ unserved: { message: expect.stringContaining('HTTP 500') } });
    expect(leaksIn(JSON.stringify(outcome.unserved))).toEqual([]);
    expect(server.heard.join()).toContain('/chat/completions');
    const books = await Promise.all(network.supernodes.map(({ app }) => booksOf(app)));
    expect(books.join()).toContain(outcome.request.inference_request_id);
    expect(leaksIn(books.join())).toEqual([]);
    expect(logged()).toContain('attempt');
    expect(leaksIn(logged())).toEqual([]);
  });

  test.each(STATUSES)('services that answer %i say why they are not well, without the key', async (status) => {
    server.status = status;
    network.clock.advance(3_600_000);
    await network.sweep();
    const { providers: shown } = await states();
    const unwell = shown.filter(({ well }) => !well);
    expect(unwell.map(({ name }) => name)).toEqual(expect.arrayContaining(['openai', 'openai-compatible']));
    for (const { reason } of unwell) expect(reason).toMatch(/model service/i);
    expect((await send('GET', `${node.url}/get_inference_model_menu`)).json().models.length).toBeGreaterThan(0);
    expect(leaksIn(logged())).toEqual([]);
  });

  test('every page and every refusal, to the operator and to everybody else', async () => {
    const wrong = { authorization: `Basic ${Buffer.from('operator:wrong').toString('base64')}` };
    const paths = [...originalRoutes, ['GET', '/providers'], ['GET', '/docs'], ['GET', '/metrics'], ['POST', '/quote']] as const;
    for (const headers of [{}, wrong, bearer]) {
      // `send` fails where an answer holds a secret.
      for (const [method, path] of paths)
        await send(method, `${node.url}${filled(path, node.pastelId)}`, method === 'POST' ? '{"x": "' : undefined, headers);
    }
    expect((await send('GET', `${node.url}/providers`, undefined, wrong)).status).toBe(401);
    logger!.flush();
    const asJson = { ...bearer, accept: 'application/json' };
    expect((await send('GET', `${node.url}/show_logs/100000`, undefined, asJson)).text).toContain('is left out of the menu');
    expect(leaksIn(logged())).toEqual([]);
  });
});

test('a key that got out would be seen, and the log would strike it', () => {
  const key = marked('SOME_API_KEY');
  for (const form of formsOf(key)) expect(leaksIn(`before ${form} after`).length).toBeGreaterThan(0);
  expect(leaksIn(Buffer.from(`user:${key}`).toString('base64')).length).toBeGreaterThan(0);
  const secrets = new Secrets([key]);
  for (const form of formsOf(key)) expect(leaksIn(secrets.strike(`before ${form} after`))).toEqual([]);
});
