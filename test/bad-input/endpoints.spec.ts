import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DataSource, Not } from 'typeorm';
import { exchanges, PythonNumber, seal, toJson, writeJson, type Exchange, type Signing } from '#protocol';
import { draftsOf } from '../support/drafts.js';
import { newIdentity, provenBy, send, type Reply } from '../support/http-app.js';
import { TestNetwork, type RunningSupernode } from '../support/network.js';
import { routesOf, sampleOf, type Route, type Schema } from '../support/open-api.js';

type Wire = Record<string, unknown>;
const CHALLENGE = ['challenge', 'challenge_id', 'challenge_signature'];
const FIFTY_MIB = 50 * 2 ** 20;
const FUZZ_RUNS = 150;

let network: TestNetwork;
let node: RunningSupernode;
let caller: Signing;
let routes: Route[];
let posts: Route[];

beforeAll(async () => {
  network = await TestNetwork.start({ supernodes: 2 });
  node = network.supernodes[0]!;
  caller = newIdentity();
  routes = routesOf(node.app);
  posts = routes.filter(({ method }) => method === 'POST');
  // Whatever a node keeps for itself is there from here on.
  await network.sweep();
}, 60_000);
beforeEach(async () => {
  before = await state();
});
afterAll(() => network.close());

/**
 * Rows of every table, and every coin that is on its way. Challenges are left out, and the signed rejections of purchases, which are kept
 * for a while so that a repeat gets the same answer.
 */
async function state() {
  const { entityMetadatas, manager } = node.app.get(DataSource);
  const tables = entityMetadatas.filter(({ tableName }) => !['challenge', 'credit_pack_purchase_rejection'].includes(tableName));
  const rows = await Promise.all(
    tables.map(async ({ target, tableName }) => {
      const where = tableName === 'credit_pack_purchase' ? { state: Not('rejected') } : {};
      return [tableName, await manager.count(target, { where })] as const;
    }),
  );
  const wallets = network.devnet.supernodes.map(({ user }) => network.devnet.account(user).wallet.balance());
  return { rows: Object.fromEntries(rows), wallets, waiting: network.devnet.state.mempool.size };
}
let before: Awaited<ReturnType<typeof state>>;

/** A clear refusal; `name` says what was wrong. */
function expectRefused(reply: Reply, name: string, what: string): void {
  const problem = `${what} -> ${reply.status} ${reply.text.slice(0, 300)}`;
  if (reply.status < 400 || reply.status > 499 || !reply.text.includes(name)) throw new Error(problem);
  if (reply.status !== 413) expect(reply.json()).toEqual({ detail: expect.anything() });
}
const pathOf = (route: Route, values: Wire = {}): string =>
  node.url + route.path.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? sampleParameter(route, name)));
function sampleParameter(route: Route, name: string): unknown {
  const parameter = route.parameters.find((candidate) => candidate.name === name);
  if (name === 'pastelid') return caller.pastelId;
  const sample = parameter?.schema ? sampleOf(parameter.schema, caller.pastelId) : 'x';
  return sample instanceof PythonNumber ? sample.text : sample;
}
const isChallengedIn = (route: Route, place: 'body' | 'query'): boolean =>
  place === 'body'
    ? (route.body?.required?.includes('challenge_id') ?? false)
    : route.parameters.some(({ name, required }) => name === 'challenge' && required === true);
const queryNames = (route: Route): string[] =>
  route.parameters.filter((parameter) => parameter.in === 'query' && parameter.required === true).map(({ name }) => name);
async function goodQuery(route: Route): Promise<Record<string, string>> {
  const plain = queryNames(route).filter((name) => !CHALLENGE.includes(name));
  const values = Object.fromEntries(plain.map((name) => [name, String(sampleParameter(route, name))]));
  return isChallengedIn(route, 'query') ? { ...values, ...(await provenBy(node.url, caller)) } : values;
}
const goodBody = async (route: Route): Promise<Wire> => ({
  ...(route.body?.type === 'object' ? (sampleOf(route.body, caller.pastelId) as Wire) : {}),
  ...(isChallengedIn(route, 'body') && (await provenBy(node.url, caller))),
});
async function post(route: Route, body: object | string | Iterable<Buffer>, query?: Record<string, string>): Promise<Reply> {
  const parameters = new URLSearchParams(query ?? (await goodQuery(route))).toString();
  return send('POST', `${pathOf(route)}?${parameters}`, body, { 'Content-Type': 'application/json' });
}

const number = (lexeme: string) => PythonNumber.read(lexeme);
/** Stands in the text just so. */
const lexeme = (text: string): string => `@@${text}@@`;
const printed = (body: object): string => writeJson(body).replace(/"@@([^"]*)@@"/g, '$1');
/** Values of every other type than the schema's, and numbers that are none. */
function wrongFor({ type, pattern, format }: Schema): unknown[] {
  const values: [string, unknown][] = [
    ['string', 'no such thing'],
    ['number', number('7')],
    ['boolean', true],
    ['array', [number('7'), [[]]]],
    ['object', Object.fromEntries([['a', { b: [null] }]])],
  ];
  const isNumber = type === 'number' || type === 'integer';
  const others = values.filter(([name]) => name !== type && !(isNumber && name === 'number')).map(([, value]) => value);
  if (isNumber) others.push(lexeme('1e999'));
  if (type === 'integer') others.push(number('-1'), number('1.5'), lexeme('-1e400'), lexeme('9'.repeat(300)));
  if (type === 'string' && (pattern ?? format)) others.push('no such thing', 'x'.repeat(99_999), 'jX\0');
  return [null, ...others];
}
/** Every required field of the body, one level of messages inside it included: the way to it, and its schema. */
function fieldsOf(schema: Schema, way: readonly string[] = []): [string[], Schema][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]): [string[], Schema][] => {
    if (way.length === 0 && CHALLENGE.includes(name)) return [];
    const here: [string[], Schema][] = schema.required?.includes(name) ? [[[...way, name], inner]] : [];
    return [...here, ...(inner.properties ? fieldsOf(inner, [...way, name]) : [])];
  });
}
/** The body with something else in this place; `undefined` takes the field away. */
function withValue(body: Wire, [name, ...rest]: readonly string[], value: unknown): Wire {
  return { ...body, [name!]: rest.length === 0 ? value : withValue(body[name!] as Wire, rest, value) };
}

test('there are routes to try', () => {
  expect(posts.length).toBeGreaterThan(25);
  expect(posts.filter((route) => isChallengedIn(route, 'body')).length).toBeGreaterThan(15);
});

test('every required field of every body: absent, null and of every wrong type is a 4xx that names it', async () => {
  let tried = 0;
  for (const route of posts.filter(({ body }) => body?.type === 'object')) {
    // What may stand in the query instead has its own test.
    const isInQuery = (name: string): boolean => route.parameters.some((parameter) => parameter.name === name);
    for (const [way, schema] of fieldsOf(route.body!).filter(([[name]]) => !isInQuery(name!))) {
      for (const value of [undefined, ...wrongFor(schema)]) {
        const reply = await post(route, printed(withValue(await goodBody(route), way, value)));
        // The first clients' way of saying no.
        if (reply.status === 200 && /"is_(updated|valid|processed)":false/.test(reply.text)) continue;
        // A text that is no txid is that of no ticket.
        const isUnknown = reply.status === 404 && typeof value === 'string';
        expectRefused(
          reply,
          isUnknown ? 'not found' : way.at(-1)!,
          `${route.path} ${way.join('.')} = ${writeJson(value).slice(0, 80)}`,
        );
        tried++;
      }
    }
  }
  expect(tried).toBeGreaterThan(500);
  expect(await state()).toEqual(before);
}, 120_000);

test('the challenge fields of every route: absent, null, of a wrong type, used before, of somebody else', async () => {
  const stranger = newIdentity();
  for (const route of routes) {
    for (const place of ['body', 'query'] as const) {
      if (!isChallengedIn(route, place)) continue;
      const call = async (changes: Wire): Promise<Reply> => {
        const query = await goodQuery(route);
        if (place === 'body') return post(route, { ...(await goodBody(route)), ...changes }, query);
        const present = Object.entries<unknown>({ ...query, ...changes }).filter(([, value]) => value !== undefined);
        const parameters = new URLSearchParams(
          present.map(([name, value]): [string, string] => [name, String(value)]),
        ).toString();
        return send(route.method, `${pathOf(route)}?${parameters}`, ...(route.method === 'POST' ? [{}] : []));
      };
      for (const name of CHALLENGE) {
        expectRefused(await call({ [name]: undefined }), name, `${route.path} without ${name}`);
        for (const value of place === 'body' ? [null, number('7'), {}] : []) {
          expectRefused(await call({ [name]: value }), name, `${route.path} ${name} = ${writeJson(value)}`);
        }
        for (const value of ['', 'x'.repeat(5000), "\0' OR 1=1 --"]) {
          const reply = await call({ [name]: value });
          expectRefused(reply, 'detail', `${route.path} ${name} = ${value.slice(0, 20)}`);
          expect([401, 422]).toContain(reply.status);
        }
      }
      const used = await provenBy(node.url, caller);
      await call(used);
      expect([route.path, 'again', (await call(used)).status]).toEqual([route.path, 'again', 401]);
      // The challenge of one PastelID, signed by another.
      const { challenge, challenge_id } = await provenBy(node.url, caller);
      expect((await call({ challenge, challenge_id, challenge_signature: await stranger.sign(challenge) })).status).toBe(401);
    }
  }
  expect(await state()).toEqual(before);
}, 120_000);

test('a good challenge of another PastelID than the message names opens nothing', async () => {
  const stranger = newIdentity();
  let tried = 0;
  for (const route of posts.filter((candidate) => isChallengedIn(candidate, 'body'))) {
    const body = await goodBody(route);
    // Where no PastelID stands in the body, the challenge itself says who calls.
    if (!writeJson(body).includes(caller.pastelId)) continue;
    const reply = await post(route, { ...body, ...(await provenBy(node.url, stranger)) });
    expect([route.path, reply.status >= 400 && reply.status < 500]).toEqual([route.path, true]);
    tried++;
  }
  expect(tried).toBeGreaterThan(12);
  expect(await state()).toEqual(before);
}, 60_000);

const bytes = (text: string): Buffer[] => [Buffer.from(text, 'utf8')];
const unreadable: [string, Buffer[]][] = [
  ['half an object', bytes('{"a":')],
  ['no JSON', bytes('credit_pack_request=1')],
  ['NaN', bytes('{"a":NaN}')],
  ['Infinity', bytes('[-Infinity]')],
  ['a key twice', bytes('{"challenge":"a","challenge":"b"}')],
  ['a key twice, deeper', bytes('{"a":[{"b":1,"\\u0062":2}]}')],
  ['a comma too many', bytes('{"a":1,}')],
  ['two documents', bytes('{} {}')],
  ['a lone surrogate', bytes('{"a":"\\ud800"}')],
  ['a control character', bytes('{"a":"\u0001"}')],
  ['Latin-1', [Buffer.from('{"a":"\xe9"}', 'latin1')]],
  ['overlong UTF-8', [Buffer.from([0x22, 0xc0, 0xaf, 0x22])]],
  ['UTF-16', [Buffer.from('{"a":1}', 'utf16le')]],
  ['zeros', [Buffer.alloc(1000)]],
  ['arrays in arrays', bytes('['.repeat(100_000) + ']'.repeat(100_000))],
  ['objects in objects', bytes('{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000))],
  ['a number without end', bytes(`{"a":${'9'.repeat(1_000_000)}}`)],
];
const otherwise: [string, Buffer[]][] = [
  ['nothing', []],
  ['null', bytes('null')],
  ['true', bytes('true')],
  ['a number', bytes('1e400')],
  ['a text', bytes('"text"')],
  ['an empty list', bytes('[]')],
  ['a list of objects', bytes('[{"challenge":1}]')],
  ['an empty object', bytes('{}')],
  ['a prototype', bytes('{"__proto__":{"challenge":"x"},"constructor":{"prototype":{}}}')],
  ['a list in place of all', bytes(`[${'null,'.repeat(10_000)}null]`)],
];

test.each(unreadable)('%s is refused everywhere, and the place in the text is told', async (name, body) => {
  for (const route of posts) {
    const reply = await send('POST', pathOf(route), body, { 'Content-Type': 'application/json' });
    expect([route.path, reply.status, reply.json()]).toEqual([
      route.path,
      422,
      { detail: [expect.objectContaining({ type: 'json_invalid', loc: ['body', expect.any(Number)] })] },
    ]);
  }
  expect(name).toBeDefined();
  expect(await state()).toEqual(before);
});

test.each(otherwise)('%s is refused where a body is needed, and breaks nothing where not', async (_name, body) => {
  for (const route of posts) {
    const reply = await send('POST', pathOf(route), body, { 'Content-Type': 'application/json' });
    const needs = (route.body?.required?.length ?? 0) > 0 || queryNames(route).length > 0;
    expect([route.path, reply.status >= (needs ? 400 : 200) && reply.status < 500]).toEqual([route.path, true]);
    if (reply.status >= 400) expect(reply.json()).toEqual({ detail: expect.anything() });
  }
  expect(await state()).toEqual(before);
});

describe('50 MiB', () => {
  test('and one byte, by Content-Length, is a 413 at every route before a byte of it is read', async () => {
    for (const { path } of posts) {
      const reply = await announced(node.url + path, FIFTY_MIB + 1);
      expect([path, reply]).toEqual([path, 413]);
    }
  });
  test('and one byte, chunked, is a 413; just 50 MiB is read', async () => {
    const chunk = Buffer.alloc(2 ** 20, 'a');
    const inChunks = (size: number): Buffer[] => {
      const whole = Array.from({ length: Math.floor((size - 2) / chunk.length) }, () => chunk);
      const rest = Buffer.alloc(size - 2 - whole.length * chunk.length, 'a');
      return [Buffer.from('"'), ...whole, rest, Buffer.from('"')];
    };
    const url = `${node.url}/credit_purchase_initial_request`;
    const refused = await send('POST', url, inChunks(FIFTY_MIB + 1), { 'Transfer-Encoding': 'chunked' }).catch(cutOff);
    expect([413, 'cut off']).toContain(typeof refused === 'string' ? refused : refused.status);
    const largest = await send('POST', url, inChunks(FIFTY_MIB), { 'Content-Length': String(FIFTY_MIB) });
    expect([largest.status, largest.text.length < 5000]).toEqual([422, true]);
    expect(await state()).toEqual(before);
  }, 60_000);
});
/** The server need not wait for what it will not read. */
function cutOff(error: NodeJS.ErrnoException): string {
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return 'cut off';
  throw error;
}
async function announced(url: string, length: number): Promise<number> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', headers: { 'Content-Length': String(length) }, agent: false }, (response) => {
      resolve(response.statusCode!);
      call.destroy();
    });
    call.on('error', reject);
    call.flushHeaders();
  });
}

test('well-formed and well-sealed messages about nothing that exists are refused by their meaning', async () => {
  for (const line of Object.values(exchanges) as Exchange[]) {
    for (const draft of fc.sample(draftsOf(line.accepts, caller.pastelId), 4)) {
      const message = toJson(await seal(line.accepts, draft, caller));
      const reply = await send('POST', `${node.url}/${line.path}`, {
        [line.key]: message,
        ...(await provenBy(node.url, caller)),
      });
      const isSignedRefusal = reply.status === 200 && /"(rejection|termination)_reason_string":"[^"]/.test(reply.text);
      const isClear = isSignedRefusal || (reply.status >= 400 && reply.status < 500 && reply.text.includes('detail'));
      if (!isClear) throw new Error(`${line.path} -> ${reply.status} ${reply.text.slice(0, 400)} for ${writeJson(message)}`);
    }
  }
  expect(await state()).toEqual(before);
}, 60_000);

test('whatever is posted, no route breaks', async () => {
  const anyJson = fc.json({ maxDepth: 6, noUnicodeString: false });
  const anyBytes = fc.uint8Array({ maxLength: 400 }).map((value) => Buffer.from(value));
  const names = [...new Set(posts.flatMap(({ body }) => Object.keys(body?.properties ?? {})))];
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom(caller.pastelId, '5e'.repeat(32), '1.0', 'e30='));
  const known = fc.dictionary(fc.constantFrom(...names), value).map((object) => JSON.stringify(object));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...posts),
      fc.oneof(anyJson, known, anyBytes),
      fc.constantFrom('application/json', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'),
      async (route, body, type) => {
        const payload = typeof body === 'string' ? bytes(body) : [body];
        const reply = await send('POST', pathOf(route), payload, { 'Content-Type': type });
        if (reply.status >= 500) throw new Error(`${route.path} -> ${reply.status} ${reply.text}`);
        if (reply.status >= 400 && reply.status !== 413) expect(reply.json()).toEqual({ detail: expect.anything() });
      },
    ),
    { numRuns: FUZZ_RUNS },
  );
}, 60_000);

test('whatever stands in one field of a body under a good challenge, no route breaks', async () => {
  const challenged = posts.filter((route) => isChallengedIn(route, 'body'));
  await fc.assert(
    fc.asyncProperty(
      fc
        .constantFrom(...challenged)
        .chain((route) =>
          fc.tuple(fc.constant(route), fc.constantFrom(...fieldsOf(route.body!).map(([way]) => way)), fc.jsonValue()),
        ),
      async ([route, way, value]) => {
        const reply = await post(route, withValue(await goodBody(route), way, value));
        if (reply.status >= 500) throw new Error(`${route.path} ${way.join('.')} -> ${reply.status} ${reply.text}`);
      },
    ),
    { numRuns: FUZZ_RUNS },
  );
}, 60_000);

describe('GET', () => {
  const odd = [
    '', ' ', '%00', '%FF', '%E0%A4%A', '%', 'null', 'undefined', 'NaN', '-1', '1.5', '1e3', '0x10', '9'.repeat(30), 'x'.repeat(5000),
    '..%2F..%2Fetc%2Fpasswd', '%2e%2e', "'%20OR%201=1%20--", '%F0%9F%98%80', '[object%20Object]', '%0d%0aSet-Cookie:%20a=b', '*',
  ]; // prettier-ignore

  test('odd values in the path: nothing breaks, and a refusal says why', async () => {
    for (const route of routes.filter(({ path }) => path.includes('{'))) {
      for (const { name } of route.parameters.filter((parameter) => parameter.in === 'path')) {
        for (const value of odd) {
          const path = route.path.replace(`{${name}}`, value);
          const reply = await send(route.method, pathOf({ ...route, path }));
          if (reply.status >= 500) throw new Error(`${route.method} ${path} -> ${reply.status} ${reply.text}`);
          if (reply.status >= 400) expect(reply.json()).toEqual({ detail: expect.anything() });
        }
      }
    }
    expect(await state()).toEqual(before);
  });

  test('odd, repeated and nested parameters of the query: nothing breaks, and a refusal names the parameter', async () => {
    for (const route of routes.filter(({ parameters }) => parameters.some((parameter) => parameter.in === 'query'))) {
      for (const { name } of route.parameters.filter((parameter) => parameter.in === 'query')) {
        const variants = [
          ...odd.filter((_, i) => !CHALLENGE.includes(name) || i % 5 === 0).map((value) => `${name}=${value}`),
          `${name}=a&${name}=b`,
          `${name}[]=a`,
          `${name}[a]=b`,
          `${name}[__proto__][a]=b`,
        ];
        for (const variant of variants) {
          const { [name]: _left, ...rest } = await goodQuery(route);
          const query = new URLSearchParams(rest).toString();
          const reply = await send(
            route.method,
            `${pathOf(route)}?${query}&${variant}`,
            ...(route.method === 'POST' ? [{}] : []),
          );
          if (reply.status >= 500) throw new Error(`${route.path}?${variant} -> ${reply.status} ${reply.text}`);
          if (reply.status >= 400) expect(reply.json()).toEqual({ detail: expect.anything() });
        }
        if (route.parameters.find((parameter) => parameter.name === name)?.required !== true) continue;
        const { [name]: _left, ...rest } = await goodQuery(route);
        const absent = await send(route.method, `${pathOf(route)}?${new URLSearchParams(rest).toString()}`);
        expectRefused(absent, name, `${route.path} without ${name}`);
        const { [name]: _again, ...others } = await goodQuery(route);
        const given = new URLSearchParams(others).toString();
        const twice = await send(route.method, `${pathOf(route)}?${given}&${name}=a&${name}=b`);
        expectRefused(twice, name, `${route.path} with ${name} twice`);
      }
    }
    expect(await state()).toEqual(before);
  }, 60_000);

  test('a parameter that nobody knows changes nothing; a body of a GET is not looked at', async () => {
    expect((await send('GET', `${node.url}/liveness_ping?x=1&__proto__[a]=1&constructor=2`)).status).toBe(200);
    expect((await send('GET', `${node.url}/nowhere`)).json()).toEqual({ detail: 'Not Found' });
    expect((await send('GET', `${node.url}/credit_purchase_initial_request`)).json()).toEqual({ detail: 'Method Not Allowed' });
    expect((await send('GET', `${node.url}/%E0%A4%A`)).json()).toEqual({ detail: 'Not Found' });
  });
});
