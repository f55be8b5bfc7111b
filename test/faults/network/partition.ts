import assert from 'node:assert/strict';
import { CreditPackPurchaseRequestResponse, writeJson } from '#protocol';
import { closestAgreeing, isRefusal, sayTo, TOO_FEW_ANSWERED, toldAt } from '../../../libs/credit-pack/test/doors.js';
import type { Node } from '../../../libs/credit-pack/test/harness.js';
import { drawnSigning } from '../../support/drawn-signing.js';
import { pick, seeded, shuffled } from '../contract.js';
import type { Bourse } from './bourse.js';
import { answerFor, bought, expectTerminated } from './quorum.js';

/** With fewer than three of four peers nobody can sell. */
const PEERS_MIN = 3;
const BLOCKS_TO_RETRY = 12;
const MINUTE_MS = 60_000;

/** Two halves that do not hear each other; the chain is one. */
class Halves {
  readonly near: ReadonlySet<Node>;
  constructor(
    chance: () => number,
    private readonly bourse: Bourse,
    readonly seller: Node,
    /** So many peers stay with the seller. */
    peers: number,
  ) {
    const others = bourse.nodes.filter((node) => node !== seller);
    this.near = new Set([seller, ...shuffled(chance, others).slice(0, peers)]);
  }
  cut(): void {
    this.bourse.carryPlainly((from, to) => this.near.has(from) === this.near.has(to));
  }
  heal(): void {
    this.bourse.carryPlainly(() => true);
  }
}

type Story = (bourse: Bourse, chance: () => number, seller: Node) => Promise<void>;

/** The seller cannot ask enough peers. */
const beforeTheVotes: Story = async (bourse, chance, seller) => {
  const halves = new Halves(chance, bourse, seller, Math.floor(chance() * PEERS_MIN));
  const [buyer, trackingAddress] = [drawnSigning(chance), await bourse.market.wallet.newAddress()];
  halves.cut();
  await expectTerminated(seller, await answerFor(bourse, seller, buyer, trackingAddress), TOO_FEW_ANSWERED);
  bourse.market.clock.advance(MINUTE_MS);
  halves.heal();
  await bought(bourse, seller, buyer, trackingAddress);
};

/** What is owed to the other half arrives when it can. */
const afterTheVotes: Story = async (bourse, chance, seller) => {
  const { market } = bourse;
  const halves = new Halves(chance, bourse, seller, Math.floor(chance() * 4));
  const [buyer, trackingAddress] = [drawnSigning(chance), await market.wallet.newAddress()];
  const fromHeight = market.height;
  bourse.carryPlainly((from, to, line) => line === 'priceAgreement' || halves.near.has(from) === halves.near.has(to));
  const offer = await answerFor(bourse, seller, buyer, trackingAddress);
  assert.ok(offer instanceof CreditPackPurchaseRequestResponse, writeJson(offer));
  const burnTxid = await market.burn(offer);
  const confirmation = await market.confirmation(offer, burnTxid, buyer);
  const completion = (await sayTo(seller, 'confirmation', confirmation)) as Record<string, string>;
  await bourse.sweepAll();
  const requestHash = offer.sha3_256_hash_of_credit_pack_purchase_request_fields;
  for (const node of bourse.nodes)
    if (node !== seller) assert.equal((await toldAt(node, requestHash)).length, halves.near.has(node) ? 1 : 0, node.user);
  // The pack is known from the chain meanwhile.
  await bourse.expectPack(burnTxid, completion['pastel_api_credit_pack_ticket_registration_txid']!, fromHeight, 1);
  halves.heal();
  await bourse.settle();
  await bourse.expectTold(offer);
  for (const node of bourse.nodes)
    if (node !== seller) assert.ok((await toldAt(node, requestHash))[0]!.confirmationResponse, `${node.user} knows of no end`);
};

/** The buyer has paid, and is in the half without the seller. */
const afterTheBurn: Story = async (bourse, chance, seller) => {
  const { market } = bourse;
  const halves = new Halves(chance, bourse, seller, Math.floor(chance() * 4));
  const [buyer, trackingAddress] = [drawnSigning(chance), await market.wallet.newAddress()];
  const fromHeight = market.height;
  halves.heal();
  const offer = await answerFor(bourse, seller, buyer, trackingAddress);
  assert.ok(offer instanceof CreditPackPurchaseRequestResponse, writeJson(offer));
  await bourse.settle();
  const burnTxid = await market.burn(offer);
  const confirmation = await market.confirmation(offer, burnTxid, buyer);
  halves.cut();
  const far = bourse.nodes.filter((node) => !halves.near.has(node));
  const agreeing = offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms;
  for (const peer of far) await sayTo(peer, 'confirmationAnnouncement', confirmation);
  market.mine(BLOCKS_TO_RETRY);
  const closest = closestAgreeing(bourse.nodes, buyer.pastelId, agreeing);
  const stored = far.includes(closest)
    ? ((await sayTo(closest, 'storageRetry', await market.storageRetry(offer, closest.pastelId, buyer))) as Record<
        string,
        string
      >)
    : undefined;
  // Nobody else does it, or there would be two tickets.
  for (const peer of far.filter((node) => node !== closest)) {
    const retry = await market.storageRetry(offer, peer.pastelId, buyer);
    await assert.rejects(sayTo(peer, 'storageRetry', retry), isRefusal);
  }
  halves.heal();
  // What was announced is too old to be confirmed now, so it is said anew, as clients do.
  const late = stored ? undefined : await market.confirmation(offer, burnTxid, buyer);
  const answer = stored ?? ((await sayTo(seller, 'confirmation', late!)) as Record<string, string>);
  await bourse.settle();
  await bourse.expectPack(burnTxid, answer['pastel_api_credit_pack_ticket_registration_txid']!, fromHeight, 1);
  await bourse.expectTold(offer);
};

const stories: readonly Story[] = [beforeTheVotes, afterTheVotes, afterTheBurn];
export const partitions = (bourse: Bourse, seed: number): Promise<void> => {
  const chance = seeded(seed);
  return stories[seed % stories.length]!(bourse, chance, pick(chance, bourse.nodes));
};
