import assert from 'node:assert/strict';
import { readJson, received, writeJson, type JsonObject } from '#protocol';
import { isRefusal, lineOf, sayTo, type PurchaseLine } from '../../../libs/credit-pack/test/doors.js';
import type { Letter, Node, TestMarket } from '../../../libs/credit-pack/test/harness.js';
import { pick, seeded, shuffled } from '../contract.js';

/** One of several copies of a message, on its way to a node. */
interface Copy {
  readonly node: Node;
  readonly line: PurchaseLine;
  readonly text: string;
  /** It arrives with this turn; with the last one where infinite. */
  readonly turn: number;
}
type Outcome = { readonly answer: unknown } | { readonly refusal: string };

const COPIES_MAX = 5;
const TURNS_LATE_MAX = 8;
const TRIES_MAX = 12;
/** Of what one node says to another on one line; an announcement is given up after five attempts. */
const LOSSES_MAX = 2;
const [LOST, ANSWER_LOST] = [0.12, 0.24];
/** They tell how things stand, in this order; everything else is answered the same for ever. */
const STATUSES = ['pending', 'approved', 'confirmed', 'completed'];

/**
 * Brings messages: each one to five times, in any order, at once or one after another, early or late, also to nodes that it is not for.
 * What a node has taken once it takes again, with the very same answer, and whatever it refuses it refuses as the protocol has it.
 */
export class Post {
  private readonly first = new Map<string, { readonly text: string; readonly answer: unknown }>();
  private readonly refusals = new Map<string, string>();
  private readonly draws = new Map<string, number>();
  private readonly losses = new Map<string, number>();
  private waiting: Copy[] = [];
  private now = 0;
  private turning: Promise<unknown> = Promise.resolve();
  private readonly chance: () => number;

  constructor(
    private readonly seed: number,
    private readonly market: TestMarket,
    private readonly sweep: (node: Node) => Promise<void>,
  ) {
    this.chance = seeded(seed);
  }

  /** The answer of the node, from a message that is made anew where all of its copies came too late, or are answered with a no. */
  async sure<A>(line: PurchaseLine, node: Node, make: () => Promise<object>, isYes = (_: unknown): boolean => true): Promise<A> {
    const refusals: string[] = [];
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const text = writeJson(await make());
      this.spread(line, text, node);
      const outcome = await this.outcomeOf(line, text, node);
      if ('answer' in outcome && isYes(outcome.answer)) return outcome.answer as A;
      refusals.push('answer' in outcome ? reasonIn(outcome.answer) : outcome.refusal);
    }
    throw new Error(`${line} at ${node.user} was refused ${TRIES_MAX} times: ${[...new Set(refusals)].join(' / ')}`);
  }
  private async outcomeOf(line: PurchaseLine, text: string, node: Node): Promise<Outcome> {
    const key = keyOf({ node, line, text });
    for (;;) {
      const taken = this.first.get(key);
      if (taken) return taken;
      const isComing = this.waiting.some(
        (copy) => copy.node === node && copy.line === line && copy.text === text && copy.turn <= this.now + 2,
      );
      if (!isComing) return { refusal: this.refusals.get(key) ?? `${line} did not arrive` };
      await this.turn();
    }
  }

  /** Copies to the node that it is for, the first of them soon, and perhaps to others. */
  spread(line: PurchaseLine, text: string, node: Node): void {
    const { chance } = this;
    const late = (): number => (chance() < 0.15 ? Infinity : this.now + Math.floor(chance() * TURNS_LATE_MAX));
    this.waiting.push({ node, line, text, turn: this.now + Math.floor(chance() * 2) });
    for (let copies = Math.floor(chance() * COPIES_MAX); copies > 0; copies--)
      this.waiting.push({ node, line, text, turn: late() });
    if (chance() < 0.5) this.toStrangers(line, text, node, chance, late);
  }
  private toStrangers(line: PurchaseLine, text: string, node: Node, chance: () => number, late: () => number): void {
    const strangers = shuffled(
      chance,
      this.market.nodes.filter((other) => other !== node),
    );
    for (const stranger of strangers.slice(0, 1 + Math.floor(chance() * 2)))
      this.waiting.push({ node: stranger, line, text, turn: late() });
  }

  /** What nodes say to each other: now, and again later; or it is lost, or the answer to it. */
  async carry({ from, to, line, message }: Letter): Promise<unknown> {
    const sender = this.market.nodes.find(({ pastelId }) => pastelId === from)!;
    const lossKey = `${sender.user} ${to.user} ${line}`;
    const chance = this.chanceOf(lossKey);
    const text = writeJson(message);
    const lost = this.losses.get(lossKey) ?? 0;
    const luck = lost < LOSSES_MAX ? chance() : 1;
    if (luck < ANSWER_LOST) this.losses.set(lossKey, lost + 1);
    if (luck < LOST) throw new Error('lost on its way');
    const late = (): number => (chance() < 0.15 ? Infinity : this.now + Math.floor(chance() * TURNS_LATE_MAX));
    const copies = Math.floor(chance() * COPIES_MAX);
    const atOnce = Math.floor(chance() * (copies + 1));
    for (let copy = atOnce; copy < copies; copy++) this.waiting.push({ node: to, line, text, turn: late() });
    if (chance() < 0.3) this.toStrangers(line, text, to, chance, late);
    const [outcome] = await Promise.all(Array.from({ length: 1 + atOnce }, () => this.hand({ node: to, line, text })));
    if (luck < ANSWER_LOST) throw new Error('the answer was lost on its way');
    if ('refusal' in outcome!) throw new Error(outcome.refusal);
    return outcome!.answer;
  }
  /** Does not depend on the order in which things happen at once. */
  private chanceOf(label: string): () => number {
    const count = (this.draws.get(label) ?? 0) + 1;
    this.draws.set(label, count);
    let hash = this.seed;
    for (const character of `${label} ${count}`) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
    return seeded(hash);
  }

  /** What is due arrives; then a little time may pass, a block may come, a node may go on with what is left to do. */
  turn(): Promise<void> {
    const turned = this.turning.then(async () => {
      const due = this.waiting.filter(({ turn }) => turn <= this.now);
      this.waiting = this.waiting.filter(({ turn }) => turn > this.now);
      await this.bring(due);
      this.now++;
      const luck = this.chance();
      if (luck < 0.15) this.market.mine(1);
      else if (luck < 0.5) this.market.clock.advance(Math.floor(this.chance() * 20_000));
      if (this.chance() < 0.25) await this.sweep(pick(this.chance, this.market.nodes));
    });
    this.turning = turned.catch(() => undefined);
    return turned;
  }
  /** The last ones arrive. */
  async end(): Promise<void> {
    await this.turning;
    while (this.waiting.length > 0) await this.bring(this.waiting.splice(0));
  }
  private async bring(copies: readonly Copy[]): Promise<void> {
    const inOrder = shuffled(this.chance, copies);
    if (this.chance() < 0.6) await Promise.all(inOrder.map((copy) => this.hand(copy)));
    else for (const copy of inOrder) await this.hand(copy);
  }

  private async hand(copy: Omit<Copy, 'turn'>): Promise<Outcome> {
    const { node, line, text } = copy;
    const key = keyOf(copy);
    try {
      const answer = await sayTo(node, line, received(lineOf(line).accepts, readJson(text) as JsonObject));
      this.compare(key, line, node, answer);
      return { answer };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      assert.ok(!this.first.has(key), `${line}, taken by ${node.user} before, is refused now: ${error.message}`);
      this.refusals.set(key, error.message);
      return { refusal: error.message };
    }
  }
  private compare(key: string, line: PurchaseLine, node: Node, answer: unknown): void {
    const text = answer === undefined ? '' : writeJson(answer);
    const known = this.first.get(key);
    if (!known) return void this.first.set(key, { text, answer });
    if (line !== 'purchaseStatus') return assert.equal(text, known.text, `${line} at ${node.user}: another answer`);
    const [before, after] = [statusIn(known.answer), statusIn(answer)];
    assert.ok(STATUSES.indexOf(after) >= STATUSES.indexOf(before), `from ${before} back to ${after}`);
    this.first.set(key, { text, answer });
  }
}

const keyOf = ({ node, line, text }: Omit<Copy, 'turn'>): string => `${node.user} ${line} ${text}`;
const statusIn = (answer: unknown): string => (answer as { status: string }).status;
/** Of a rejection or a termination. */
const reasonIn = (answer: unknown): string => {
  const { rejection_reason_string, termination_reason_string } = answer as Record<string, string>;
  return rejection_reason_string ?? termination_reason_string ?? 'no';
};
