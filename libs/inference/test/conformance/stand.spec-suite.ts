import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import axios, { type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { Environment } from '#config';
import { pythonAsciiJson, Refusal } from '#protocol';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import {
  ProviderFailure,
  type Outcome,
  type ParameterValues,
  type Provider,
  type Surroundings,
} from '../../src/providers/index.js';
import { parametersOf } from '../../src/quote/parameters.rules.js';
import { bytesOfFile, filledIn, KEY, modelOf, wireOf, type Case, type Exchange, type Fixtures } from './fixtures.spec-suite.js';
import type { SeenRequest, VendorServer } from './vendor-server.spec-suite.js';

/** Nobody waits for this clock, so it may go fast. */
const A_WHILE_MS = 600_000;
/** How long a provider may take to notice that nobody waits any more. */
const PROMPT_MS = 2000;

export interface RunOptions {
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  readonly http?: AxiosInstance;
  /** Moves the clock on by so much, again and again. */
  readonly advanceMs?: number;
}

/** One provider with its fixtures, on the test stand. */
export class Stand {
  readonly clock = new ManualClock();
  readonly options: unknown;
  /** Links that were offered and not taken back: when the work is over there must be none. */
  readonly offered = new Set<string>();
  private readonly files: Surroundings['files'] = {
    offer: async (content, ending) => {
      const url = `http://node.example/download/${content.length}${ending === undefined ? '' : `.${ending}`}`;
      this.offered.add(url);
      return { url, release: async () => void this.offered.delete(url) };
    },
  };
  private readonly http = axios.create({ timeout: 20_000, maxRedirects: 0, proxy: false });

  constructor(
    readonly provider: Provider,
    readonly fixtures: Fixtures,
    readonly server: VendorServer,
  ) {
    this.options = provider.setUp(new Environment(filledIn(fixtures.manifest.environment, server.url)));
    assert(this.options !== undefined, 'the environment of the manifest does not set the provider up');
    server.seen = [];
    server.answer = (_, response) => response.writeHead(500).end();
  }

  get isLocal(): boolean {
    return this.fixtures.manifest.local === true;
  }
  /** Of each inference type the first case that ends well. */
  get leading(): readonly Case[] {
    const types = new Set<string>();
    return this.fixtures.cases.filter(({ type, outcome }) => outcome !== undefined && !types.has(type) && types.add(type));
  }

  around(signal = new AbortController().signal, http = this.http): Surroundings {
    return { http, options: this.options, clock: this.clock, files: this.files, signal };
  }

  parametersOf(each: Case, sent: Readonly<Record<string, unknown>> = {}): ParameterValues {
    const json = JSON.stringify({ ...each.parameters, ...sent });
    return parametersOf(Buffer.from(json).toString('base64'), modelOf(this.fixtures, each).entry, each.type);
  }
  private ask(each: Case, sent?: Readonly<Record<string, unknown>>) {
    const { text, media } = each.input;
    const input = { text, ...(media && { media: { bytes: bytesOfFile(this.fixtures.folder, media), facts: media.facts } }) };
    return { model: modelOf(this.fixtures, each), input, parameters: this.parametersOf(each, sent) };
  }

  async count(each: Case, sent?: Readonly<Record<string, unknown>>) {
    return this.ability(each).count(this.ask(each, sent), this.around());
  }

  /** Runs a case against whatever the server answers now. */
  async run(
    each: Case,
    { parameters, signal, http, advanceMs = each.advanceMs ?? (this.isLocal ? A_WHILE_MS : undefined) }: RunOptions = {},
  ): Promise<Outcome> {
    const { model, ...ask } = this.ask(each, parameters);
    const run = this.ability(each).run({
      ...this.around(signal, http),
      ...ask,
      model: model.upstream,
      type: each.type,
      deadline: new Date(this.clock.now().getTime() + 600_000),
      idempotencyKey: 'request-1',
      attempt: 1,
    });
    return advanceMs === undefined ? run : this.whileTimePasses(run, advanceMs);
  }
  async whileTimePasses<T>(work: Promise<T>, advanceMs: number): Promise<T> {
    let isOver = false;
    const watched = work.finally(() => (isOver = true));
    watched.catch(() => undefined);
    while (!isOver) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      this.clock.advance(advanceMs);
    }
    return watched;
  }

  private ability(each: Case) {
    const ability = this.provider.abilities[each.type];
    assert(ability, `the provider has no ability '${each.type}'`);
    return ability;
  }

  /** The server plays the exchanges of a case in their order. `change` alters one reply before it travels. */
  play(each: Case, change: (reply: Exchange['reply'], index: number) => Exchange['reply'] = (reply) => reply): void {
    let index = 0;
    this.server.seen = [];
    this.server.answer = (_, response) => {
      const exchange = each.exchanges?.[index];
      if (!exchange) return void response.writeHead(500).end('more questions than the case has exchanges');
      const { status, headers, body } = wireOf(this.fixtures.folder, change(exchange.reply, index++));
      response.writeHead(status, headers).end(body);
    };
  }

  /** A client whose answers come from memory, in the given pieces. */
  fromMemory(reply: Exchange['reply'], pieces: (body: Buffer) => Buffer[]): AxiosInstance {
    const { status, headers, body } = wireOf(this.fixtures.folder, reply);
    const adapter = async (config: InternalAxiosRequestConfig) => ({
      status,
      statusText: '',
      headers,
      config,
      data: Readable.from(pieces(body), { objectMode: false }),
    });
    return axios.create({ adapter });
  }
}

/** The failure, which must be a ProviderFailure fit to be shown. */
export async function failureOf(work: Promise<unknown>, server: string): Promise<ProviderFailure> {
  const error = await within(
    work.then(
      () => new Error('nothing failed'),
      (thrown: unknown) => thrown,
    ),
  );
  if (!(error instanceof ProviderFailure)) throw error;
  assertFitToBeShown(error.message, server);
  return error;
}
export function assertFitToBeShown(text: string, server: string): void {
  for (const secret of [KEY, encodeURIComponent(KEY), KEY.slice(3), server, new URL(server).host, '10.1.2.3'])
    assert(!text.includes(secret), `an error text holds '${secret}': ${text}`);
  assert(!/[\u0000-\u001f\u007f-\u009f]/.test(text), 'an error text holds control characters');
  assert(text.length <= 400, 'an error text is too long');
}
export async function refusalOf(work: () => unknown): Promise<Refusal | undefined> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  return undefined;
}

export async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing happened within ${PROMPT_MS} ms`)), PROMPT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function assertOutcome(outcome: Outcome, expected: NonNullable<Case['outcome']>): void {
  const text = pythonAsciiJson(outcome.output);
  if (expected.outputJson !== undefined) assert.equal(text, expected.outputJson);
  else assert.deepEqual(JSON.parse(text), expected.output);
  assert.equal(outcome.outputText, expected.outputText);
  assert.deepEqual(outcome.files, expected.files);
  assert.deepEqual(outcome.usage ?? null, expected.usage);
}

export async function assertRequest(seen: SeenRequest, wanted: Exchange['request'], folder: string): Promise<void> {
  assert.equal(`${seen.method} ${seen.path}`, `${wanted.method} ${wanted.path}`);
  if (wanted.query) assert.deepEqual(seen.query, wanted.query);
  for (const [name, value] of Object.entries(wanted.headers ?? {})) assert.equal(seen.headers[name], value, `header ${name}`);
  if (wanted.form) return assertForm(seen, wanted.form, folder);
  const body = seen.body.toString();
  assert.deepEqual(body === '' ? undefined : JSON.parse(body), wanted.json);
}

async function assertForm(seen: SeenRequest, wanted: NonNullable<Exchange['request']['form']>, folder: string): Promise<void> {
  const headers = { 'content-type': String(seen.headers['content-type']) };
  const form = await new Response(new Uint8Array(seen.body), { headers }).formData();
  assert.deepEqual([...form.keys()].sort(), Object.keys(wanted).sort());
  for (const [name, value] of Object.entries(wanted)) {
    const sent = form.get(name);
    if (typeof value === 'string') {
      assert.equal(sent, value, `field ${name}`);
      continue;
    }
    assert(sent !== null && typeof sent !== 'string', `field ${name} is no file`);
    if (value.base64 !== undefined || value.file !== undefined)
      assert(Buffer.from(await sent.arrayBuffer()).equals(bytesOfFile(folder, value)), `bytes of ${name}`);
    if (value.filename !== undefined) assert.equal(sent.name, value.filename);
    if (value.type !== undefined) assert.equal(sent.type, value.type);
  }
}
