import assert from 'node:assert/strict';
import { DataSource } from 'typeorm';
import { SupernodeNetwork } from '#chain';
import { SupernodeClient } from '#client';
import { InboxService } from '#messaging';
import {
  pooledChecking,
  readJson,
  writeJson,
  type InferenceAPIUsageRequest,
  type JsonObject,
  type PythonNumber,
} from '#protocol';
import type { Reply } from '../../support/http-app.js';
import type { RunningSupernode } from '../../support/network.js';
import { pick, seeded, shuffled, type Engine } from '../contract.js';
import { countCalls, type CountedCalls } from '../market/counted-calls.js';
import { Market } from '../market/market.js';

const CREDITS = 5_000;
const COPIES_MAX = 5;
const REQUESTS_MAX = 3;
const TURNS_MAX = 40;
const NOT_SENT = 0.2;
/** After which an announcement that pasteld did not take is sent again. */
const PAUSE_MS = 600_000;

interface Letter {
  readonly pubkey: string;
  readonly text: string;
}

/** Supernodes over HTTP, a pack, and the bus of the one that serves in our hands. */
export class Desk {
  /** What the serving node has sent and nobody has got. */
  readonly letters: Letter[] = [];
  refuses: () => boolean = () => false;
  private constructor(
    readonly market: Market,
    readonly calls: CountedCalls,
    readonly packTxid: string,
    readonly trackingAddress: string,
    private readonly sent: (pubkey: string, text: string) => Promise<void>,
  ) {}

  static async open(engine: Engine): Promise<Desk> {
    const calls = countCalls();
    const market = await Market.open(engine);
    const { registrationTxid, trackingAddress } = await market.pack(CREDITS);
    const bus = market.node.app.get(SupernodeNetwork);
    const desk = new Desk(market, calls, registrationTxid, trackingAddress, bus.send.bind(bus));
    bus.send = async (pubkey, text) => {
      if (desk.refuses()) throw new Error('Message was not sent');
      desk.letters.push({ pubkey, text });
    };
    return desk;
  }
  get others(): RunningSupernode[] {
    return this.market.network.supernodes.filter((node) => node !== this.market.node);
  }
  /** On the bus, to whom it is for or to somebody else; a second later, or it would be the very same message. */
  async deliver({ text, pubkey }: Letter): Promise<void> {
    this.market.network.clock.advance(1_000);
    await this.sent(pubkey, text);
  }
  async takeIn(): Promise<void> {
    const now = this.market.network.clock.now();
    await Promise.all(this.others.map(({ app }) => app.get(InboxService).sweep(now)));
  }
  client(node: RunningSupernode): SupernodeClient {
    return new SupernodeClient({ url: node.url, signing: this.market.signing, checking: pooledChecking });
  }
  async close(): Promise<void> {
    this.calls.stop();
    await this.market.close();
  }
}

/** One request, and what was answered to it first. */
interface Asked {
  readonly request: InferenceAPIUsageRequest;
  readonly id: string;
  answer?: string;
  responseId?: string;
  tenths?: number;
  burnTxid?: string;
}

class Schedule {
  /** Copies that are late. */
  private late: (() => Promise<unknown>)[] = [];
  constructor(
    private readonly desk: Desk,
    private readonly chance: () => number,
  ) {}

  /** Some copies at once, some later. */
  async inCopies(send: () => Promise<unknown>): Promise<void> {
    const { chance } = this;
    const copies = 1 + Math.floor(chance() * COPIES_MAX);
    const atOnce = 1 + Math.floor(chance() * copies);
    await Promise.all(Array.from({ length: atOnce }, send));
    for (let copy = atOnce; copy < copies; copy++) this.late.push(send);
  }
  /** Some of the late ones arrive; time passes. */
  async turn(): Promise<void> {
    const { chance, desk } = this;
    this.late = shuffled(chance, this.late);
    const due = this.late.splice(0, Math.floor(chance() * 4));
    if (chance() < 0.5) await Promise.all(due.map((send) => send()));
    else for (const send of due) await send();
    if (chance() < 0.4) desk.market.network.mine();
    else desk.market.network.clock.advance(Math.floor(chance() * 10_000));
  }
  async end(): Promise<void> {
    for (const send of shuffled(this.chance, this.late.splice(0))) await send();
  }
}

const posted = (reply: Reply): string => {
  assert.equal(reply.status, 200, reply.text);
  return reply.text;
};

/** Whatever is said twice is answered the same. */
async function ask({ market }: Desk, asked: Asked): Promise<void> {
  const text = posted(await market.post('make_inference_api_usage_request', { inference_api_usage_request: asked.request }));
  asked.answer ??= text;
  assert.equal(text, asked.answer, 'another answer to the same request');
}
async function confirm({ market }: Desk, { id, burnTxid }: Asked): Promise<void> {
  posted(await market.confirm(id, burnTxid!));
}
/** Somebody who was not asked does not take a confirmation. */
async function confirmElsewhere({ market }: Desk, { id, burnTxid }: Asked, node: RunningSupernode): Promise<void> {
  const inference_confirmation = {
    inference_request_id: id,
    requesting_pastelid: market.signing.pastelId,
    confirmation_transaction: { txid: burnTxid! },
  };
  const { status, text } = await market.post('confirm_inference_request', { inference_confirmation }, node);
  assert.ok(status >= 400 && status < 500, `${node.user}: ${status} ${text}`);
}

/** Brings the announcements, in copies, the result perhaps before the response, also to others. */
async function announced(desk: Desk, chance: () => number): Promise<void> {
  const listed = (await desk.market.node.app.get(SupernodeNetwork).list()).flatMap(({ pubkey, pastelId }) =>
    pubkey !== undefined && pastelId !== desk.market.node.pastelId ? [pubkey] : [],
  );
  const copies = desk.letters.splice(0).flatMap((letter) => {
    const count = Math.floor(chance() * COPIES_MAX);
    return [letter, ...Array.from({ length: count }, () => ({ ...letter, pubkey: pick(chance, listed) }))];
  });
  for (const letter of shuffled(chance, copies)) {
    await desk.deliver(letter);
    if (chance() < 0.3) await desk.takeIn();
  }
  await desk.takeIn();
}

/** The one response and the one result at each of the others; a copy is for audits, and nobody works on it. */
async function expectCopies(desk: Desk, { id, responseId, answer }: Asked): Promise<void> {
  for (const node of desk.others) {
    const { manager } = node.app.get(DataSource);
    const kinds = await manager.find<{ kind: string }>('AnnouncedCopy', {
      where: { inference_response_id: responseId! },
      order: { kind: 'ASC' },
    } as object);
    assert.deepEqual(
      kinds.map(({ kind }) => kind),
      ['response', 'result'],
      node.user,
    );
    assert.equal(await manager.countBy('InferenceJob', { inference_request_id: id }), 0, `${node.user} has work to do`);
    const response = await desk.client(node).auditResponse(responseId!, { expectedSigner: desk.market.node.pastelId });
    assert.equal(writeJson(response), answer, 'the copy is another response');
  }
}

/** Several requests at once, everything that is said about them in copies, late and elsewhere: each runs once and is paid once. */
export async function inferences(desk: Desk, seed: number): Promise<void> {
  const chance = seeded(seed);
  const { market, packTxid, calls } = desk;
  const schedule = new Schedule(desk, chance);
  const [callsBefore, before] = [calls.count(), await market.balance(packTxid)];
  desk.refuses = () => chance() < NOT_SENT;
  const all: Asked[] = [];
  for (let n = Math.floor(chance() * REQUESTS_MAX); n >= 0; n--) {
    const request = await market.usageRequest(packTxid);
    all.push({ request, id: request.inference_request_id });
  }
  for (const asked of shuffled(chance, all)) await schedule.inCopies(() => ask(desk, asked));
  for (const asked of all) {
    const answer = readJson(asked.answer!) as JsonObject;
    asked.responseId = answer['inference_response_id'] as string;
    asked.tenths = (answer['request_confirmation_message_amount_in_patoshis'] as PythonNumber).value;
  }
  for (const asked of shuffled(chance, all)) {
    asked.burnTxid = await market.burn(asked.tenths!, desk.trackingAddress);
    if (chance() < 0.5) await schedule.turn();
    await schedule.inCopies(() => confirm(desk, asked));
    if (chance() < 0.5) await confirmElsewhere(desk, asked, pick(chance, desk.others));
  }
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    await schedule.turn();
    await (chance() < 0.3 ? Promise.all([market.serve(), market.serve()]) : market.serve());
    const states = await Promise.all(all.map(({ id }) => market.stateOf(id)));
    if (states.every((state) => state === 'COMPLETED')) break;
  }
  await schedule.end();
  const client = desk.client(market.node);
  const signer = { expectedSigner: market.node.pastelId };
  for (const { id, responseId } of all) {
    assert.equal(await market.stateOf(id), 'COMPLETED');
    const results = await Promise.all([1, 2, 3].map(() => client.result(responseId!, signer)));
    assert.equal(new Set(results.map((result) => writeJson(result))).size, 1);
  }
  desk.refuses = () => false;
  market.network.clock.advance(PAUSE_MS);
  await market.serve();
  await announced(desk, chance);
  for (const asked of all) await expectCopies(desk, asked);
  assert.equal(calls.count() - callsBefore, all.length, 'calls of the model service');
  await expectPaid(desk, all, before);
}
async function expectPaid(
  { market, packTxid }: Desk,
  all: readonly Asked[],
  before: Awaited<ReturnType<Market['balance']>>,
): Promise<void> {
  market.network.mine();
  await market.network.until(market.network.sweep());
  const after = await market.balance(packTxid);
  const spent = all.reduce((sum, { tenths }) => sum + tenths! * 100, 0);
  assert.deepEqual(
    [after.burnedMillicredits - before.burnedMillicredits, after.usageBurns - before.usageBurns, after.heldMillicredits],
    [spent, all.length, 0],
  );
  await market.network.expectSound();
}
