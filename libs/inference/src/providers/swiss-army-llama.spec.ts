import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Environment } from '#config';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import { send, startHttpApp, type TestHttpApp } from '../../../../test/support/http-app.js';
import { downloadsOf, settings } from '../../test/inference-world.spec-suite.js';
import { DownloadsController } from '../execution/downloads.controller.js';
import { Downloads } from '../execution/downloads.service.js';
import { Outgoing } from '../execution/outgoing/outgoing.service.js';
import { menuEntry } from './kit/menu-entry.js';
import type { InferenceType, Input, Model, ParameterValues, Surroundings } from './provider.js';
import { swissArmyLlama } from './swiss-army-llama.js';

const TOKEN = 'canary-token-5f1e';
const MODEL = 'bge-m3-q8_0';
const SENTENCES = ['The house is red.', 'The door is blue.'];
const zip = Buffer.from('504b0506'.padEnd(44, '0'), 'hex');
zip.write('PK\x03\x04', 'latin1');

class Status extends Error {
  constructor(readonly status: number) {
    super();
  }
}

/** The service, as far as it matters here: fetches what it is told to, and checks hash and size. */
class Service {
  names: string[] = [MODEL];
  asked: string[] = [];
  fetched: string[] = [];
  /** Answers with this instead of working. */
  failure: number | undefined;
  /** What a question waits for. */
  gate: Promise<void> = Promise.resolve();
  private readonly server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url!, 'http://service');
      const headers = { 'content-type': request.headers['content-type'] ?? '' };
      const body = new Response(Buffer.concat(pieces), { headers });
      void this.answer(pathname.split('/')[1]!, searchParams, body)
        .then(([type, answer]) => response.writeHead(200, { 'content-type': type }).end(answer))
        .catch((error: unknown) =>
          response
            .writeHead(error instanceof Status ? error.status : 500, { 'content-type': 'application/json' })
            .end('{"detail":"no"}'),
        );
    });
  });

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(path: string, query: URLSearchParams, body: Response): Promise<[type: string, answer: string | Buffer]> {
    this.asked.push(path);
    const json = (value: unknown): [string, string] => ['application/json', JSON.stringify(value)];
    if (path === 'get_list_of_available_model_names') {
      if (query.get('token') !== TOKEN) throw new Status(403);
      return json({ model_names: this.names });
    }
    if (path === 'add_new_model') return json({ status: 'success', url: query.get('model_url') });
    await this.gate;
    if (this.failure !== undefined) throw new Status(this.failure);
    if (path === 'get_embedding_vector_for_string') return json({ embedding: [0.5] });
    const form = await body.formData();
    const [link, hash, size] = ['url', 'hash', 'size'].map((name) => form.get(name) as string);
    const file = Buffer.from(await (await fetch(link!)).arrayBuffer());
    if (createHash('sha3-256').update(file).digest('hex') !== hash || file.length !== Number(size)) throw new Status(400);
    this.fetched.push(link!);
    if (path === 'convert_document_to_sentences') return json({ individual_sentences: SENTENCES });
    return ['application/zip', zip];
  }
}

const [remote, local] = [new Service(), new Service()];
let directory: string;
let node: TestHttpApp;
let downloads: Downloads;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'links-'));
  await Promise.all([remote.listen(), local.listen()]);
  const open: Downloads['open'] = (name, address) => downloads.open(name, address);
  node = await startHttpApp({ controllers: [DownloadsController], providers: [{ provide: Downloads, useValue: { open } }] });
});
afterAll(async () => {
  await Promise.all([remote.close(), local.close(), node.close()]);
  await rm(directory, { recursive: true });
});

const clock = new ManualClock();
let around: Surroundings<never>;
beforeEach(() => {
  for (const service of [remote, local])
    Object.assign(service, { names: [MODEL], asked: [], fetched: [], failure: undefined, gate: Promise.resolve() });
  around = surroundings({ REMOTE_SWISS_ARMY_LLAMA_URL: remote.url, SWISS_ARMY_LLAMA_URL: `${local.url}/` });
});
function surroundings(env: Record<string, string>): Surroundings<never> {
  const options = swissArmyLlama.setUp(new Environment({ SWISS_ARMY_LLAMA_SECURITY_TOKEN: TOKEN, ...env })) as never;
  const limits = { ...settings, downloadDirectory: directory, downloadBaseUrl: node.url };
  downloads = downloadsOf(limits, clock, new Map([[swissArmyLlama.name, options]]));
  const http = new Outgoing(limits).client({ ownUrls: swissArmyLlama.ownUrls!(options) });
  return { http, options, clock, files: downloads, signal: new AbortController().signal };
}

const modelOf = (type: InferenceType, name = MODEL, model_url = ''): Model => ({
  entry: menuEntry({
    model_name: `swiss_army_llama-${name}`,
    description: '',
    supported_inference_type_strings: [type],
    model_parameters: [],
    model_url,
    credit_costs: {},
  }),
  upstream: name,
  pricing: { per: 'raw' },
});
const document = (text = SENTENCES.join(' '), question = ''): Input => ({
  text: question,
  media: { bytes: Buffer.from(text), facts: { kind: 'document', format: 'text', pages: 1 } },
});
const run = (type: InferenceType, input: Input, parameters: ParameterValues = {}) =>
  swissArmyLlama.abilities[type]!.run({
    ...around,
    model: MODEL,
    type,
    input,
    parameters,
    deadline: new Date(clock.now().getTime() + 1000),
    idempotencyKey: '1',
    attempt: 1,
  });
const count = (input: Input, parameters: ParameterValues = {}) =>
  Promise.resolve().then(() =>
    swissArmyLlama.abilities.embedding_document!.count({ model: modelOf('embedding_document'), input, parameters }, around),
  );
const workOf = ({ asked }: Service) => asked.filter((path) => !path.startsWith('get_list'));

describe('a document goes to the service by a link', () => {
  test('which it can fetch while it works, and which is gone afterwards', async () => {
    const outcome = await run('embedding_document', document());
    expect([outcome.output, outcome.files]).toEqual([zip.toString('base64'), ['zip']]);
    expect(remote.fetched).toHaveLength(1);
    expect(remote.fetched[0]).toMatch(/\/download\/[0-9a-f]{32}\.txt$/);
    expect((await send('GET', remote.fetched[0]!)).status).toBe(404);
    expect(await readdir(directory)).toEqual([]);
  });

  test('which is gone when the service fails, and when nobody waits any more', async () => {
    remote.failure = local.failure = 500;
    await expect(run('embedding_document', document())).rejects.toMatchObject({ code: 'unavailable' });
    remote.failure = local.failure = undefined;
    const abort = new AbortController();
    around = { ...around, signal: abort.signal };
    let isOpen: (() => void) | undefined;
    remote.gate = new Promise((resolve) => (isOpen = resolve));
    const work = run('embedding_document', document());
    while (!workOf(remote).includes('get_all_embedding_vectors_for_document') || remote.asked.length < 3)
      await new Promise(setImmediate);
    abort.abort();
    await expect(work).rejects.toMatchObject({ code: 'deadline_exceeded' });
    isOpen!();
    expect(await readdir(directory)).toEqual([]);
  });

  test('its sentences are its price: counted once a file, for a few files at a time', async () => {
    expect(await count(document())).toMatchObject({ sentences: 2, withQuery: false });
    expect(await count(document(SENTENCES.join(' '), 'Which colour?'))).toMatchObject({ sentences: 2, withQuery: true });
    expect(workOf(remote)).toEqual(['convert_document_to_sentences']);
    let open: (() => void) | undefined;
    remote.gate = new Promise((resolve) => (open = resolve));
    const many = Array.from({ length: 6 }, (_, n) =>
      count(document(`another ${n}`)).then(
        () => 'counted',
        (e: { code: string }) => e.code,
      ),
    );
    await new Promise(setImmediate);
    open!();
    expect((await Promise.all(many)).sort()).toEqual([...Array<string>(4).fill('counted'), 'too-many', 'too-many']);
    expect(await count(document('another 5'))).toMatchObject({ sentences: 2 });
    expect(await readdir(directory)).toEqual([]);
  });

  test('the three names of the question are one thing', async () => {
    const questions: [Input, ParameterValues][] = [
      [document('x', 'Why?'), {}],
      [document('x'), { query_text: 'Why?' }],
      [document('x'), { query_string: ' Why? ' }],
      [document('x', 'Why?'), { query_text: 'Why?', query_string: 'Why?' }],
    ];
    for (const [input, parameters] of questions) expect((await count(input, parameters)).withQuery).toBe(true);
    await expect(count(document('x', 'Why?'), { query_text: 'How?' })).rejects.toMatchObject({ code: 'bad-request' });
  });
});

describe('two places', () => {
  test('the remote one works while it answers', async () => {
    await run('embedding', { text: 'x' });
    expect([workOf(remote).length, workOf(local).length]).toEqual([1, 0]);
  });

  test('the local one takes over when the remote one fails, lacks the model or does not answer', async () => {
    remote.failure = 503;
    await run('embedding', { text: 'x' });
    expect([workOf(remote).length, workOf(local).length]).toEqual([1, 1]);
    remote.names = ['another'];
    await run('embedding', { text: 'x' });
    expect([workOf(remote).length, workOf(local).length]).toEqual([1, 2]);
    around = surroundings({ REMOTE_SWISS_ARMY_LLAMA_URL: 'http://127.0.0.1:1', SWISS_ARMY_LLAMA_URL: local.url });
    await swissArmyLlama.checkKey(around);
    await run('embedding', { text: 'x' });
    expect(workOf(local)).toHaveLength(3);
  });

  test('what is wrong with the request is not asked twice, and a failure of both is a failure', async () => {
    remote.failure = 422;
    await expect(run('embedding', { text: 'x' })).rejects.toMatchObject({ code: 'refused' });
    expect(workOf(local)).toEqual([]);
    remote.failure = local.failure = 500;
    await expect(run('embedding', { text: 'x' })).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    expect([workOf(remote).length, workOf(local).length]).toEqual([2, 1]);
  });
});

describe('models', () => {
  const listed = [
    modelOf('embedding'),
    modelOf('embedding', 'bge-m3', 'https://models.example/bge-m3.gguf'),
    modelOf('embedding', 'BGE-M3-q8_0', 'http://models.example/insecure.gguf'),
  ];

  test('are offered where the service has them, by their exact names', async () => {
    local.names = ['another', 'bge-m3'];
    const offered = await swissArmyLlama.available!(listed, around);
    expect(offered.map(({ upstream }) => upstream)).toEqual([MODEL, 'bge-m3']);
    expect([...workOf(remote), ...workOf(local)]).toEqual([]);
  });

  test('of the menu are downloaded only where the operator allows it, and asked for once', async () => {
    around = surroundings({ SWISS_ARMY_LLAMA_URL: local.url, SWISS_ARMY_LLAMA_ADD_MODELS: '1' });
    await swissArmyLlama.available!(listed, around);
    await swissArmyLlama.available!(listed, around);
    expect(workOf(local)).toEqual(['add_new_model']);
  });
});

test('a token that is not taken is told without the token', async () => {
  around = surroundings({ SWISS_ARMY_LLAMA_URL: local.url, SWISS_ARMY_LLAMA_SECURITY_TOKEN: 'another-canary' });
  const failure = (await swissArmyLlama.checkKey(around).catch((error: unknown) => error)) as Error;
  expect(failure).toMatchObject({ code: 'misconfigured' });
  expect(JSON.stringify([failure.message, failure, failure.cause])).not.toContain('another-canary');
});

test('an address that is none is refused when the settings are read', () => {
  const env = new Environment({ SWISS_ARMY_LLAMA_URL: 'localhost:8089' });
  swissArmyLlama.setUp(env);
  expect(env.problems.map(({ name }) => name)).toEqual(['SWISS_ARMY_LLAMA_URL']);
});
