import assert from 'node:assert/strict';
import axios from 'axios';
import { Environment } from '#config';
import { soundUsage } from '../../src/execution/usage.rules.js';
import type { FailureCode, ModelParameter } from '../../src/providers/index.js';
import { filledIn, KEY, modelOf, wireOf, type Case, type FixtureReply } from './fixtures.spec-suite.js';
import { assertOutcome, assertRequest, failureOf, refusalOf, type Stand, within } from './stand.spec-suite.js';
import { menuSuite } from './menu-suite.spec-suite.js';
import { streamSuites } from './stream-suites.spec-suite.js';

/** A promise that every provider keeps. Throws where it does not; gives the number of things looked at. */
export interface Suite {
  readonly name: string;
  /** `false`: only for providers that ask somebody. */
  readonly local?: boolean;
  run(stand: Stand): Promise<number>;
}

const setUp: Suite = {
  name: 'set-up',
  local: true,
  async run({ provider, fixtures: { manifest } }) {
    const empty = new Environment({});
    assert.equal(provider.setUp(empty), undefined, 'is set up by nothing');
    const full = new Environment(filledIn(manifest.environment, 'http://127.0.0.1:1'));
    provider.setUp(full);
    const described = (env: Environment): string[] => env.described.map(({ name }) => name);
    assert.deepEqual(described(empty), described(full), 'does not always read all of its variables');
    for (const name of Object.keys(manifest.environment)) assert(described(full).includes(name), `${name} is not described`);
    for (const [name, value] of Object.entries(manifest.environment))
      if (value.includes('{key}')) assert(full.secrets.includes(KEY), `${name} is not read as a secret`);
    return described(full).length;
  },
};

const mapping: Suite = {
  name: 'requests',
  local: true,
  async run(stand) {
    for (const each of stand.fixtures.cases) {
      stand.play(filledIn(each, stand.server.url));
      if (each.failure) {
        const { code, retryable } = await failureOf(stand.run(each), stand.server.url);
        assert.deepEqual({ code, retryable }, each.failure, each.name);
      } else assertOutcome(await stand.run(each), each.outcome!);
      if (each.workload) assert.deepEqual({ ...(await stand.count(each)), ...each.workload }, await stand.count(each), each.name);
      await assertExchanges(stand, each);
      assert.equal(stand.offered.size, 0, `${each.name}: files are still offered`);
    }
    return stand.fixtures.cases.length;
  },
};
async function assertExchanges(stand: Stand, each: Case): Promise<void> {
  const wanted = filledIn(each.exchanges ?? [], stand.server.url);
  const { seen } = stand.server;
  if (stand.isLocal) return;
  assert.equal(seen.length, wanted.length, `${each.name}: ${seen.length} questions`);
  for (const [i, request] of seen.entries()) {
    await assertRequest(request, wanted[i]!.request, stand.fixtures.folder);
    assertNoKey(stand, request.address + request.body.toString('latin1'));
  }
}
function assertNoKey({ fixtures: { manifest } }: Stand, text: string): void {
  if (manifest.keyInQuery === undefined) assert(!text.includes(KEY), 'the key stands in an address or a body');
}

const check: Suite = {
  name: 'key check',
  async run(stand) {
    const { check: exchange, errors } = stand.fixtures.manifest;
    assert(exchange, 'the manifest does not say what the check asks');
    const { provider, server, fixtures } = stand;
    const { request, reply } = filledIn(exchange, server.url);
    const answerWith = (given: FixtureReply): void => {
      server.seen = [];
      server.answer = (_, response) => {
        const { status, headers, body } = wireOf(fixtures.folder, given);
        response.writeHead(status, headers).end(body);
      };
    };
    answerWith(reply);
    await within(provider.checkKey(stand.around()));
    assert(server.seen.length === 1);
    await assertRequest(server.seen[0]!, request, fixtures.folder);
    for (const status of [401, 403, 500]) {
      answerWith({ status, json: { error: { message: `not ${KEY}` } } });
      const { code } = await failureOf(provider.checkKey(stand.around()), server.url);
      assert.equal(code, errors?.[status] ?? (status === 500 ? 'unavailable' : 'misconfigured'));
    }
    answerWith({ headers: { 'content-type': 'text/html' }, text: '<html>' });
    await failureOf(provider.checkKey(stand.around()), server.url);
    // Nobody answers: it gives up by itself.
    server.answer = () => undefined;
    const late = await failureOf(stand.whileTimePasses(provider.checkKey(stand.around()), 10_000), server.url);
    assert.equal(late.code, 'deadline_exceeded');
    return 6;
  },
};

/** What can be seen of a run: the vendor's view of it, and what is paid. */
async function tracesOf(stand: Stand, each: Case, parameters: Record<string, unknown>): Promise<unknown> {
  stand.play(filledIn(each, stand.server.url));
  const work = await stand.count(each, parameters);
  // Parameters that ask for more calls than the case has exchanges end in a failure; the questions count.
  await stand.run(each, { parameters }).catch(() => undefined);
  const questions = stand.server.seen.map(({ method, path, query, headers, body }) => {
    const boundary = /boundary=(\S+)/.exec(String(headers['content-type']))?.[1];
    const text = body.toString('latin1');
    return { method, path, query, body: boundary ? text.replaceAll(boundary, '') : text };
  });
  return { work, questions };
}

const clamping: Suite = {
  name: 'clamping',
  local: true,
  async run(stand) {
    let looks = 0;
    for (const each of stand.leading) {
      const { entry } = modelOf(stand.fixtures, each);
      for (const parameter of entry.model_parameters) {
        if (!parameter.inference_types_parameter_applies_to.includes(each.type)) continue;
        looks += parameter.type === 'string' ? await words(stand, each, parameter) : await limits(stand, each, parameter);
      }
      assert(await refusalOf(() => stand.parametersOf(each, { 'no-such-parameter': 1 })), 'an unknown parameter is taken');
      looks++;
    }
    return looks;
  },
};
async function limits(stand: Stand, each: Case, { name, type, minimum, maximum }: ModelParameter): Promise<number> {
  const traces = (value: unknown) => tracesOf(stand, each, { [name]: value });
  const read = (value: unknown) => stand.parametersOf(each, { [name]: value });
  let looks = 0;
  for (const [limit, beyond] of [
    [minimum, -1],
    [maximum, 1],
  ] as const) {
    if (limit === undefined) continue;
    assert.deepEqual(await traces(limit + beyond), await traces(limit), `${name} is not clamped`);
    assert.deepEqual(read(String(limit)), read(limit), `${name} as text is another`);
    looks += 2;
  }
  assert.deepEqual(read(''), read(null), `${name} that is empty is not absent`);
  assert(await refusalOf(() => stand.parametersOf(each, { [name]: type === 'int' ? '1.5' : 'much' })), `${name} takes anything`);
  return looks + 2;
}
async function words(stand: Stand, each: Case, { name, options }: ModelParameter): Promise<number> {
  if (!options) return 0;
  assert(await refusalOf(() => stand.parametersOf(each, { [name]: 'none of these' })), `${name} takes any word`);
  return 1;
}

const STATUSES: Readonly<Record<number, FailureCode>> = {
  302: 'misconfigured',
  400: 'refused',
  401: 'misconfigured',
  402: 'misconfigured',
  403: 'misconfigured',
  404: 'refused',
  408: 'unavailable',
  409: 'unavailable',
  413: 'refused',
  422: 'refused',
  429: 'rate_limited',
  500: 'unavailable',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
  529: 'unavailable',
};
const MENDED_BY_WAITING = new Set<FailureCode>(['unavailable', 'rate_limited', 'malformed_answer', 'deadline_exceeded']);
/** Everything that must not be shown. */
const UNFIT = `too much \u001b[31m\u0000 for http://10.1.2.3:8080/x at 10.1.2.3:80, with ${KEY} or ${encodeURIComponent(KEY)}`;

const statuses: Suite = {
  name: 'errors',
  async run(stand) {
    const { manifest } = stand.fixtures;
    const shape = manifest.errorBody ?? { error: { message: '{reason}' } };
    const errorBody: unknown = JSON.parse(JSON.stringify(shape).replace('{reason}', JSON.stringify(UNFIT).slice(1, -1)));
    let looks = 0;
    for (const each of stand.leading) {
      const fail = async (status: number, headers: Record<string, string> = {}) => {
        stand.play(each, () => ({ status, headers, json: errorBody }));
        // The first question fails: nothing waits for the clock, which dates are told by.
        return failureOf(stand.run(each, { advanceMs: 0 }), stand.server.url);
      };
      for (const [status, usual] of Object.entries(STATUSES)) {
        const code = manifest.errors?.[status] ?? usual;
        const failure = await fail(Number(status), status === '302' ? { location: `${stand.server.url}/elsewhere` } : {});
        assert.equal(failure.code, code, `HTTP ${status}`);
        assert.equal(failure.retryable, MENDED_BY_WAITING.has(code), `HTTP ${status}`);
        assert.equal(stand.server.seen.length, 1, `HTTP ${status} is followed by another question`);
        assert.equal(failure.retryAfterMs, undefined);
        looks++;
      }
      const inHalfAMinute = new Date(stand.clock.now().getTime() + 30_000).toUTCString();
      assert.equal((await fail(429, { 'retry-after': '7' })).retryAfterMs, 7000);
      assert.equal((await fail(429, { 'retry-after': inHalfAMinute })).retryAfterMs, 30_000);
      assert.equal((await fail(503, { 'retry-after': '99999999' })).retryAfterMs, 3_600_000);
      assert.equal((await fail(429, { 'retry-after': 'soon' })).retryAfterMs, undefined);
      looks += 4;
    }
    return looks;
  },
};

const broken: Suite = {
  name: 'broken answers',
  async run(stand) {
    let looks = 0;
    const fails = async (each: Case, ways: readonly FailureCode[], advanceMs?: number) => {
      const { code, retryable } = await failureOf(
        stand.run(each, advanceMs === undefined ? {} : { advanceMs }),
        stand.server.url,
      );
      assert(ways.includes(code), `${each.name}: ${code} instead of ${ways.join(' or ')}`);
      assert(retryable, `${each.name}: ${code} is not to be repeated`);
      looks++;
    };
    for (const each of stand.leading) {
      const last = (each.exchanges?.length ?? 1) - 1;
      const change = (reply: FixtureReply): void => stand.play(each, (given, i) => (i === last ? { ...given, ...reply } : given));
      const { headers, body } = wireOf(stand.fixtures.folder, each.exchanges![last]!.reply);
      const bodyless = { json: undefined, events: undefined, base64: undefined, file: undefined } as unknown as FixtureReply;
      change({ ...bodyless, headers: { 'content-type': 'text/html' }, text: '<html><body>Welcome</body></html>' });
      await fails(each, ['malformed_answer']);
      if (/json|event-stream/.test(headers['content-type']!)) {
        const isStream = headers['content-type']!.includes('event-stream');
        for (const text of ['{"broken', 'null', '[1,']) {
          change({ ...bodyless, headers, text: isStream ? `data: ${text}\n\n` : text });
          await fails(each, ['malformed_answer']);
        }
      }
      const beginning = (then: (response: import('node:http').ServerResponse) => void): void => {
        let asked = 0;
        stand.play(each);
        const playing = stand.server.answer;
        stand.server.answer = (request, response, closed) => {
          if (asked++ !== last) return playing(request, response, closed);
          response.writeHead(200, headers);
          response.write(body.subarray(0, Math.ceil(body.length / 2)), () => then(response));
        };
      };
      beginning((response) => response.destroy());
      await fails(each, ['unavailable', 'malformed_answer']);
      stand.server.answer = (_, response) => response.destroy();
      await fails(each, ['unavailable']);
      // Falls silent: the clock says when that is enough.
      beginning(() => undefined);
      await fails(each, ['unavailable', 'deadline_exceeded'], 60_000);
    }
    return looks;
  },
};

const waiting: Suite = {
  name: 'abort, time-out',
  local: true,
  async run(stand) {
    for (const each of stand.leading) {
      const gone = AbortSignal.abort();
      assert.equal((await failureOf(stand.run(each, { signal: gone }), stand.server.url)).code, 'deadline_exceeded');
      if (stand.isLocal) continue;
      const abort = new AbortController();
      let closed: Promise<void> | undefined;
      stand.server.answer = (_, __, socketClosed) => {
        closed = socketClosed;
        abort.abort();
      };
      const failure = await failureOf(stand.run(each, { signal: abort.signal }), stand.server.url);
      assert.equal(failure.code, 'deadline_exceeded');
      assert(failure.retryable);
      await within(closed!);
      stand.server.answer = () => undefined;
      const http = axios.create({ timeout: 40, maxRedirects: 0, proxy: false });
      assert.equal((await failureOf(stand.run(each, { http }), stand.server.url)).code, 'deadline_exceeded');
    }
    return stand.leading.length * (stand.isLocal ? 1 : 3);
  },
};

const REPORTS: readonly (readonly [unknown, 'reported' | 'estimated'])[] = [
  [undefined, 'estimated'],
  [0, 'reported'],
  [-5, 'estimated'],
  [1e300, 'estimated'],
  ['12', 'estimated'],
  [null, 'estimated'],
];

const usage: Suite = {
  name: 'usage',
  async run(stand) {
    const { usage: pointers } = stand.fixtures.manifest;
    if (!pointers) return 0;
    let looks = 0;
    for (const each of stand.leading) {
      for (const [value, source] of REPORTS) {
        let changes = 0;
        const change = (json: unknown): unknown => {
          const copy: unknown = structuredClone(json);
          for (const pointer of [pointers.input, pointers.output ?? pointers.input]) changes += put(copy, pointer, value) ? 1 : 0;
          return copy;
        };
        stand.play(each, (reply) => ({
          ...reply,
          ...(reply.json !== undefined && { json: change(reply.json) }),
          ...(reply.events && {
            events: reply.events.map((event) => ('data' in event ? { ...event, data: change(event.data) } : event)),
          }),
        }));
        const outcome = await stand.run(each);
        if (changes === 0) continue;
        assert.deepEqual({ ...outcome, usage: null }, { ...outcome, ...parsedOutput(each, outcome.output), usage: null });
        const sound = soundUsage(outcome.usage, await stand.count(each));
        assert.equal(sound.source, source, `${each.name}: usage ${String(value)} is ${sound.source}`);
        assert(Number.isSafeInteger(sound.inputTokens) && sound.inputTokens >= 0);
        looks++;
      }
    }
    assert(looks > 0, 'the pointers of the manifest lead nowhere');
    return looks;
  },
};
/** A report changes nothing else of the outcome. */
const parsedOutput = ({ outcome }: Case, output: unknown) => ({ output, outputText: outcome!.outputText, files: outcome!.files });

/** Sets, or removes, what a JSON pointer leads to; `false` where it leads nowhere. */
function put(json: unknown, pointer: string, value: unknown): boolean {
  const names = pointer.split('/').slice(1);
  const last = names.pop()!;
  let parent = json;
  for (const name of names)
    parent = typeof parent === 'object' && parent !== null ? (parent as Record<string, unknown>)[name] : undefined;
  if (typeof parent !== 'object' || parent === null || !(last in parent)) return false;
  if (value === undefined) delete (parent as Record<string, unknown>)[last];
  else (parent as Record<string, unknown>)[last] = value;
  return true;
}

export const suites: readonly Suite[] = [
  setUp,
  mapping,
  check,
  clamping,
  statuses,
  broken,
  usage,
  waiting,
  menuSuite,
  ...streamSuites,
];
