import assert from 'node:assert/strict';
import {
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  CreditPackPurchaseRequestResponse,
  CreditPackRequestStatusCheck,
  seal,
  writeJson,
  type CreditPackPurchaseRequestConfirmation,
  type CreditPackPurchaseRequestConfirmationResponse,
  type CreditPackStorageRetryRequestResponse,
  type Signing,
} from '#protocol';
import { closestAgreeing, purchaseAt } from '../../../libs/credit-pack/test/doors.js';
import type { Node } from '../../../libs/credit-pack/test/harness.js';
import { drawnSigning } from '../../support/drawn-signing.js';
import { pick, seeded } from '../contract.js';
import { TEN_CREDITS, type Bourse } from './bourse.js';
import { Post } from './post.js';

/** More than the blocks after which another supernode may store the ticket. */
const BLOCKS_TO_RETRY = 12;
/** Longer than anybody may take to pay. */
const LONG_AFTERWARDS = 60;
/** Of pasteld, before it takes the ticket of the seller. */
const REFUSALS = 3;

interface Deal {
  readonly buyer: Signing;
  readonly seller: Node;
  readonly offer: CreditPackPurchaseRequestResponse;
  readonly burnTxid: string;
  readonly fromHeight: number;
  /** Different ones, which the buyer made of the one burn. */
  confirmations: number;
}
interface Underway {
  readonly bourse: Bourse;
  readonly post: Post;
  readonly chance: () => number;
}

/** From the request to the burn. */
async function paid({ bourse: { market }, post, chance }: Underway, seller: Node): Promise<Deal> {
  const buyer = drawnSigning(chance);
  const fromHeight = market.height;
  const isQuote = (answer: unknown): boolean => answer instanceof CreditPackPurchaseRequestPreliminaryPriceQuote;
  const isOffer = (answer: unknown): boolean => answer instanceof CreditPackPurchaseRequestResponse;
  for (;;) {
    const trackingAddress = await market.wallet.newAddress();
    const quote = await post.sure<CreditPackPurchaseRequestPreliminaryPriceQuote>(
      'purchaseRequest',
      seller,
      () => market.request({ ...TEN_CREDITS, signing: buyer, trackingAddress }),
      isQuote,
    );
    // Too many votes may have been lost; then nobody has paid, and the buyer begins anew.
    const answer = await post.sure<object>('quoteResponse', seller, () => market.quoteResponse(quote, {}, buyer));
    if (!isOffer(answer)) continue;
    const offer = answer as CreditPackPurchaseRequestResponse;
    return { buyer, seller, offer, burnTxid: await market.burn(offer), fromHeight, confirmations: 1 };
  }
}

const statusOf = ({ buyer, offer }: Deal) =>
  seal(
    CreditPackRequestStatusCheck,
    {
      sha3_256_hash_of_credit_pack_purchase_request_fields: offer.sha3_256_hash_of_credit_pack_purchase_request_fields,
      requesting_end_user_pastelid: buyer.pastelId,
    },
    buyer,
  );
const agreeingOf = ({ offer }: Deal, { bourse }: Underway): Node[] =>
  offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms.map((pastelId) => bourse.node(pastelId));

/** The buyer names the burn, everywhere. */
async function confirmed(underway: Underway, deal: Deal): Promise<string> {
  const { bourse, post } = underway;
  const { buyer, offer, burnTxid, seller } = deal;
  let told: CreditPackPurchaseRequestConfirmation | undefined;
  const answer = await post.sure<CreditPackPurchaseRequestConfirmationResponse>('confirmation', seller, async () => {
    told = await bourse.market.confirmation(offer, burnTxid, buyer);
    for (const peer of agreeingOf(deal, underway)) post.spread('confirmationAnnouncement', writeJson(told), peer);
    post.spread('purchaseStatus', writeJson(await statusOf(deal)), seller);
    return told;
  });
  assert.equal(answer.credit_pack_confirmation_outcome_string, 'success');
  return answer.pastel_api_credit_pack_ticket_registration_txid;
}

/**
 * The closest agreeing supernode is asked to store the ticket, while the seller, whom pasteld lets down, is still at it, or hears of the
 * burn late, by a second confirmation.
 */
async function storedByAnother(underway: Underway, deal: Deal): Promise<string> {
  const { bourse, post, chance } = underway;
  const { market } = bourse;
  const { buyer, offer, burnTxid, seller } = deal;
  const agreeing = agreeingOf(deal, underway).map(({ pastelId }) => pastelId);
  const closest = closestAgreeing(bourse.nodes, buyer.pastelId, agreeing);
  const confirmation = await market.confirmation(offer, burnTxid, buyer);
  const role = pick(chance, ['silent', 'stuck', 'late'] as const);
  if (role === 'stuck') {
    const refusal = { kind: 'error', code: -1, message: 'not now' } as const;
    market.devnet.faults.failNext('tickets register', REFUSALS, refusal, seller.user);
    post.spread('confirmation', writeJson(confirmation), seller);
  }
  await post.sure('confirmationAnnouncement', closest, async () => {
    // The announcement of the offer may be late itself.
    await bourse.sweep(seller);
    market.clock.advance(30_000);
    return confirmation;
  });
  market.mine(BLOCKS_TO_RETRY);
  if (role === 'late') {
    deal.confirmations++;
    post.spread('confirmation', writeJson(await market.confirmation(offer, burnTxid, buyer)), seller);
  }
  const retry = () => market.storageRetry(offer, closest.pastelId, buyer);
  const answer = await post.sure<CreditPackStorageRetryRequestResponse>('storageRetry', closest, retry);
  const outcome = answer.credit_pack_storage_retry_confirmation_outcome_string;
  const reason = answer.credit_pack_storage_retry_confirmation_failure_reason_if_applicable;
  market.devnet.faults.clear();
  // The seller may have been faster, with this confirmation or with the other one.
  if (outcome !== 'success') assert.match(reason, /already confirmed storage|paid for another credit pack/);
  return answer.pastel_api_credit_pack_ticket_registration_txid || (await bourse.ticketsOf(burnTxid, deal.fromHeight))[0]!;
}

async function concluded(underway: Underway, deal: Deal, registrationTxid: string): Promise<void> {
  const { bourse } = underway;
  await bourse.expectPack(deal.burnTxid, registrationTxid, deal.fromHeight, deal.confirmations);
  await bourse.expectTold(deal.offer);
  const purchase = await purchaseAt(deal.seller, deal.offer.sha3_256_hash_of_credit_pack_purchase_request_fields);
  const isOver = purchase?.confirmation == null || purchase.state === 'completed' || deal.confirmations > 1;
  assert.ok(isOver, `at the seller: ${purchase?.state} ${purchase?.trouble}`);
}

type Ending = (underway: Underway, deal: Deal) => Promise<string>;

/** One schedule: purchases at several supernodes at once, with everything that is said about them. */
async function schedule(bourse: Bourse, seed: number, purchases: number, ending: Ending): Promise<void> {
  const chance = seeded(seed);
  const post = new Post(seed, bourse.market, bourse.sweep);
  bourse.carrier = (letter) => post.carry(letter);
  const underway = { bourse, post, chance };
  const deals = await Promise.all(
    Array.from({ length: purchases }, async () => {
      const deal = await paid(underway, pick(chance, bourse.nodes));
      return { deal, registrationTxid: await ending(underway, deal) };
    }),
  );
  await bourse.settle();
  // Whatever is late arrives while the offer can be paid, or long afterwards.
  if (chance() < 0.3) bourse.market.mine(LONG_AFTERWARDS);
  await post.end();
  await bourse.settle();
  for (const { deal, registrationTxid } of deals) await concluded(underway, deal, registrationTxid);
}

export const copies = (bourse: Bourse, seed: number): Promise<void> => schedule(bourse, seed, 1, confirmed);
export const severalAtOnce = (bourse: Bourse, seed: number): Promise<void> => schedule(bourse, seed, 3, confirmed);
export const storageRetries = (bourse: Bourse, seed: number): Promise<void> => schedule(bourse, seed, 1, storedByAnother);
