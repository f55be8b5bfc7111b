import assert from 'node:assert/strict';
import { runInference } from '#client';
import { isJsonObject, PythonNumber, readJson, Signing, writeJson, type Json, type JsonObject } from '#protocol';
import { provenBy, send, type Reply } from '../support/http-app.js';
import type { RunningSupernode } from '../support/network.js';
import { seeded, shuffled, type Case, type Category, type Engine } from './contract.js';
import { countCalls, type CountedCalls } from './market/counted-calls.js';
import { Market } from './market/market.js';
import { record, type Recorded } from './market/recorder.js';
import { Shared } from './shared.js';

const CREDITS = 2_000;
const DAY_MS = 86_400_000;
/** Longer than any window of heights that a message is taken in. */
const BLOCKS_LATER = 60;
const PROOF = ['challenge', 'challenge_id', 'challenge_signature'];
/** Answers tell how things stand now; the others, of the same message, are the same ones for ever. */
const TELLS = [
  'request_challenge',
  'check_status_of_credit_purchase_request',
  'check_credit_pack_balance',
  'get_valid_credit_pack_tickets_for_pastelid',
  'check_status_of_inference_request_results',
  'confirm_inference_request',
  'get_inference_model_menu',
  'liveness_ping',
];
/** Name no supernode: another one has its own answer, and holds credits of its own for a while. */
const ANYBODY = ['credit_purchase_initial_request', 'make_inference_api_usage_request', 'credit_pack_price_agreement_request'];
/** Challenges come with each call, and signed refusals are kept for those that ask again. */
const NOT_MONEY = ['challenge', 'credit_pack_purchase_rejection'];

interface Bench {
  readonly market: Market;
  readonly packTxid: string;
  readonly requests: readonly Recorded[];
  /** What was answered first, by node and message. */
  readonly first: Map<string, string>;
  /** By PastelID: the user, and the nodes. */
  readonly signers: ReadonlyMap<string, Signing>;
  /** How often the model service was asked. */
  readonly calls: () => number;
}
let counted: CountedCalls | undefined;

/** One purchase and one inference, as their user's program does them, and every request of it that any node got. */
async function open(engine: Engine): Promise<Bench> {
  const market = await Market.open(engine);
  counted = countCalls();
  const calls = counted.count;
  const requests: Recorded[] = [];
  const stops = market.network.supernodes.map((node) => record(node, requests));
  const { registrationTxid: packTxid } = await market.pack(CREDITS);
  await market.network.until(
    runInference(market.side, {
      packTxid,
      model: 'sandbox-echo',
      input: 'Hello there',
      supernodesMax: 1,
      tieBreak: market.first,
    }),
  );
  assert.equal(calls(), 1);
  for (const stop of stops) stop();
  await market.network.until(market.network.sweep());
  const own = market.network.supernodes.map(({ app }) => app.get(Signing));
  const signers = new Map([market.signing, ...own].map((signing) => [signing.pastelId, signing] as const));
  const first = new Map(requests.map((request) => [keyOf(request, request.user), request.answer] as const));
  return { market, packTxid, requests, first, signers, calls };
}
const benches = new Shared(open, async ({ market }) => {
  counted?.stop();
  await market.close();
});

const pathOf = ({ url }: Recorded): string => url.split(/[?/]/)[1]!;
const bodyOf = ({ body }: Recorded): JsonObject => (body === '' ? {} : (readJson(body) as JsonObject));
const queryOf = ({ url }: Recorded): URLSearchParams => new URL(url, 'http://x').searchParams;
const nodeOf = ({ market }: Bench, { user }: Recorded): RunningSupernode =>
  market.network.supernodes.find((node) => node.user === user)!;
const isChallenged = (request: Recorded): boolean => queryOf(request).has('challenge') || 'challenge' in bodyOf(request);
const isPost = ({ method, status }: Recorded): boolean => method === 'POST' && status === 200;

/** Whoever made it: the only one whose challenge opens the door. */
function signerOf({ signers, market }: Bench, request: Recorded): Signing {
  const { challenge: _, ...rest } = bodyOf(request);
  const named = [...signers.values()].filter(({ pastelId }) => writeJson(rest).includes(`"${pastelId}"`));
  // Where several are named, one that is a node other than the one asked has signed it to tell this one.
  return named.find(({ pastelId }) => pastelId === market.signing.pastelId && !isOfPeers(request)) ?? named[0] ?? market.signing;
}
const isOfPeers = (request: Recorded): boolean => /price_agreement|announcement/.test(pathOf(request));

const repeat = (node: RunningSupernode, { method, url, body }: Recorded): Promise<Reply> =>
  send(method, node.url + url, body === '' ? undefined : body, { 'Content-Type': 'application/json' });

/** With a challenge of this moment, and with another body where one is given. */
async function proven(node: RunningSupernode, request: Recorded, signing: Signing, body = bodyOf(request)): Promise<Reply> {
  const proof = await provenBy(node.url, signing);
  const query = queryOf(request);
  const inQuery = query.has('challenge');
  if (inQuery) for (const [name, value] of Object.entries(proof)) query.set(name, value);
  const place = request.url.split('?')[0]! + (inQuery ? `?${query.toString()}` : '');
  return send(request.method, node.url + place, inQuery ? body : { ...body, ...proof }, { 'Content-Type': 'application/json' });
}
/** Those that any of the signers opens the door for come as far as that. */
async function provenByAny(bench: Bench, node: RunningSupernode, request: Recorded, body?: JsonObject): Promise<Reply> {
  const likely = signerOf(bench, request);
  let reply: Reply | undefined;
  for (const signing of [likely, ...[...bench.signers.values()].filter((other) => other !== likely)]) {
    reply = await proven(node, request, signing, body);
    if (reply.status !== 401) return reply;
  }
  return reply!;
}

/** No row, no credit, no coin of any node moves, and the model service is not asked. */
async function standing(bench: Bench, mayQuote: boolean) {
  const { market } = bench;
  const { network } = market;
  await network.expectSound();
  const { heldMillicredits: held, availableMillicredits: available, ...burned } = await market.balance(bench.packTxid);
  return {
    calls: bench.calls(),
    burned,
    ...(!mayQuote && { held, available, rows: await market.counts(NOT_MONEY) }),
    wallets: network.devnet.supernodes.map(({ user }) => network.devnet.account(user).wallet.balance()),
    waiting: network.devnet.state.mempool.size,
  };
}
async function expectStill(bench: Bench, work: () => Promise<void>, mayQuote = false): Promise<void> {
  const before = await standing(bench, mayQuote);
  await work();
  assert.deepEqual(await standing(bench, mayQuote), before, 'something moved');
}

function keyOf(request: Recorded, user: string | undefined): string {
  const { challenge: _, challenge_id: _id, challenge_signature: _signature, ...message } = bodyOf(request);
  return `${user} ${pathOf(request)} ${writeJson(message)}`;
}

const shown = (request: Recorded, { status, text }: Reply): string =>
  `${request.method} ${pathOf(request)} at ${request.user}: ${status} ${text.slice(0, 300)}`;
function expectRefused(request: Recorded, reply: Reply, statuses?: readonly number[]): void {
  assert.ok(reply.status >= 400 && reply.status < 500 && (statuses?.includes(reply.status) ?? true), shown(request, reply));
  assert.ok(isJsonObject(readJson(reply.text)) && reply.text.includes('"detail"'), shown(request, reply));
}
/** A refusal, also in the words of the protocol, or just what was answered first. */
function expectNothingNew({ first }: Bench, request: Recorded, reply: Reply, user: string | undefined = request.user): void {
  if (reply.status !== 200) return expectRefused(request, reply);
  if (TELLS.includes(pathOf(request)) || isRejection(reply)) return;
  assert.equal(reply.text, first.get(keyOf(request, user)) ?? request.answer, shown(request, reply));
}
const isRejection = ({ text }: Reply): boolean => /"(rejection|termination)_reason_string":\s*"[^"]/.test(text);

/** Word by word: the challenge in it was used. */
async function asTheyWere(bench: Bench, nodeFor: (request: Recorded) => RunningSupernode): Promise<void> {
  for (const request of bench.requests.filter((each) => isPost(each) && isChallenged(each)))
    expectRefused(request, await repeat(nodeFor(request), request), [401]);
}
/** By their own signers, who may answer any challenge. */
async function provenAgain(bench: Bench, nodeFor: (request: Recorded) => RunningSupernode): Promise<void> {
  for (const request of bench.requests.filter((each) => isPost(each) && isChallenged(each))) {
    const node = nodeFor(request);
    expectNothingNew(bench, request, await provenByAny(bench, node, request), node.user);
  }
}
/** The same where nobody was asked before: what is answered then is the first answer of that node. */
async function provenElsewhere(bench: Bench): Promise<void> {
  for (const request of bench.requests.filter((each) => isPost(each) && isChallenged(each))) {
    const node = ELSEWHERE(bench)(request);
    const reply = await provenByAny(bench, node, request);
    const key = keyOf(request, node.user);
    if (reply.status === 200 && ANYBODY.includes(pathOf(request)) && !bench.first.has(key)) bench.first.set(key, reply.text);
    expectNothingNew(bench, request, reply, node.user);
  }
}

/** Every way to a leaf. */
function leavesOf(value: Json, way: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (Array.isArray(value)) return value.flatMap((item, at) => leavesOf(item, [...way, at]));
  if (isJsonObject(value)) return Object.entries(value).flatMap(([key, member]) => leavesOf(member, [...way, key]));
  return [way];
}
function changedAt(value: Json, [step, ...rest]: readonly (string | number)[]): Json {
  if (step === undefined) return changedLeaf(value);
  if (Array.isArray(value)) return value.map((item, at) => (at === step ? changedAt(item, rest) : item));
  return { ...(value as JsonObject), [step]: changedAt((value as JsonObject)[step]!, rest) };
}
function changedLeaf(value: Json): Json {
  if (value instanceof PythonNumber)
    return PythonNumber.read(value.isInteger ? String(value.value + 1) : String(value.value + 0.5));
  if (typeof value === 'boolean') return !value;
  if (typeof value !== 'string' || value === '') return 'x';
  const at = Math.floor(value.length / 2);
  return value.slice(0, at) + (value[at] === '1' ? '2' : '1') + value.slice(at + 1);
}

interface Change {
  readonly request: Recorded;
  readonly way: readonly (string | number)[];
}
const changesOf = ({ requests }: Bench): Change[] =>
  firstOfEach(requests.filter((each) => isPost(each) && isChallenged(each) && !queryOf(each).has('challenge'))).flatMap(
    (request) => leavesOf(bodyOf(request)).map((way) => ({ request, way })),
  );
/** One for each path: several nodes are asked the same. */
const firstOfEach = (requests: readonly Recorded[]): Recorded[] => [
  ...new Map([...requests].reverse().map((request) => [pathOf(request), request])).values(),
];

async function changed(bench: Bench, { request, way }: Change): Promise<void> {
  const body = changedAt(bodyOf(request), way) as JsonObject;
  const node = nodeOf(bench, request);
  if (PROOF.includes(String(way[0]))) {
    // A challenge that is good but for this.
    const good = { ...bodyOf(request), ...(await provenBy(node.url, signerOf(bench, request))) };
    const reply = await send('POST', node.url + request.url, changedAt(readJson(writeJson(good)), way) as JsonObject);
    return expectRefused(request, reply, [401, 422]);
  }
  expectNothingNew(bench, request, await provenByAny(bench, node, request, body));
}

const CHANGES_IN_SLICE = 40;
const AT_HOME = (bench: Bench) => (request: Recorded) => nodeOf(bench, request);
const ELSEWHERE =
  ({ market: { network } }: Bench) =>
  (request: Recorded): RunningSupernode =>
    network.supernodes[(network.supernodes.findIndex(({ user }) => user === request.user) + 1) % network.supernodes.length]!;

type Step = (bench: Bench, chance: () => number, all: boolean) => Promise<void>;
/** In this order: time does not go back. */
const steps: Readonly<Record<string, Step>> = {
  now: async (bench) => {
    assert.ok(new Set(bench.requests.filter(isPost).map(pathOf)).size >= 10, 'too little was captured');
    await expectStill(bench, async () => {
      await asTheyWere(bench, AT_HOME(bench));
      await provenAgain(bench, AT_HOME(bench));
    });
  },
  'with each field changed': async (bench, chance, all) => {
    const changes = shuffled(chance, changesOf(bench));
    await expectStill(bench, async () => {
      for (const change of all ? changes : changes.slice(0, CHANGES_IN_SLICE)) await changed(bench, change);
    });
  },
  'at another node': async (bench) => {
    await expectStill(bench, () => asTheyWere(bench, ELSEWHERE(bench)));
    await expectStill(bench, () => provenElsewhere(bench), true);
  },
  'after a restart': async (bench) => {
    await bench.market.restart();
    await expectStill(bench, async () => {
      await asTheyWere(bench, AT_HOME(bench));
      await provenAgain(bench, AT_HOME(bench));
    });
  },
  'after their time': async (bench) => {
    const { network } = bench.market;
    network.clock.advance(DAY_MS);
    for (let block = 0; block < BLOCKS_LATER; block++) network.mine();
    await network.until(network.sweep());
    await expectStill(bench, async () => {
      await asTheyWere(bench, AT_HOME(bench));
      await provenAgain(bench, AT_HOME(bench));
      await provenAgain(bench, ELSEWHERE(bench));
    });
  },
};

/** Every request of a purchase and of an inference, sent once more. */
export const replay: Category = {
  name: 'replay',
  seeds: 2,
  cases: ({ all }) =>
    Object.entries(steps).map(([name, step]): Case => ({
      name,
      ...(!all && { engines: ['SQLite'] as const }),
      run: async (seed, engine) => {
        try {
          await step(await benches.on(engine), seeded(seed), all);
        } catch (error) {
          await benches.leave().catch(() => undefined);
          throw error;
        }
      },
    })),
  close: benches.leave,
};
