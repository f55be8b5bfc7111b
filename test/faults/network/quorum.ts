import assert from 'node:assert/strict';
import {
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  CreditPackPurchaseRequestResponse,
  writeJson,
  type CreditPackPurchaseRequestResponseTermination,
  type Signing,
} from '#protocol';
import {
  purchaseAt,
  sayTo,
  terminationReasonOf,
  TOO_FEW_AGREED,
  TOO_FEW_ANSWERED,
} from '../../../libs/credit-pack/test/doors.js';
import type { Node } from '../../../libs/credit-pack/test/harness.js';
import { drawnSigning } from '../../support/drawn-signing.js';
import { pick, seeded, shuffled } from '../contract.js';
import { TEN_CREDITS, type Bourse } from './bourse.js';

const PEERS = 4;
/** The shipped shares, in hundredths. */
const [QUORUM, MAJORITY, OF_ASKED] = [51, 51, 65];
const ASKED_MAX = 100;
/** How many of the peers say nothing, and how many are against: every way to do it. */
const PARTS = Array.from({ length: PEERS + 1 }, (_, silent) =>
  Array.from({ length: PEERS + 1 - silent }, (__, against) => ({ silent, against })),
).flat();

/** In whole numbers, so that nothing is rounded. */
function reasonOf(asked: number, answered: number, agreed: number): string | undefined {
  if (!(answered * 100 > QUORUM * asked)) return TOO_FEW_ANSWERED;
  if (!(agreed * 100 > MAJORITY * answered)) return TOO_FEW_AGREED;
  if (agreed * 100 >= OF_ASKED * asked) return undefined;
  return agreed === answered ? TOO_FEW_ANSWERED : TOO_FEW_AGREED;
}

/** Every tally of up to a hundred peers, those exactly on a threshold among them. */
export function everyTally(): void {
  const shares = { quorum: QUORUM / 100, majority: MAJORITY / 100, majorityOfAsked: OF_ASKED / 100 };
  for (let asked = 0; asked <= ASKED_MAX; asked++)
    for (let answered = 0; answered <= asked; answered++)
      for (let agreed = 0; agreed <= answered; agreed++) {
        const tally = { asked, answered, agreed };
        assert.equal(terminationReasonOf(tally, shares), reasonOf(asked, answered, agreed), JSON.stringify(tally));
      }
}

/** Says yes to a quote for the address, twice; the answer is the same. */
export async function answerFor(
  { market }: Bourse,
  seller: Node,
  buyer: Signing,
  trackingAddress: string,
): Promise<CreditPackPurchaseRequestResponse | CreditPackPurchaseRequestResponseTermination> {
  const request = await market.request({ ...TEN_CREDITS, signing: buyer, trackingAddress });
  const quote = await sayTo(seller, 'purchaseRequest', request);
  assert.ok(quote instanceof CreditPackPurchaseRequestPreliminaryPriceQuote, writeJson(quote));
  const yes = await market.quoteResponse(quote, {}, buyer);
  const [first, again] = [await sayTo(seller, 'quoteResponse', yes), await sayTo(seller, 'quoteResponse', yes)];
  assert.equal(writeJson(again), writeJson(first));
  return first as CreditPackPurchaseRequestResponse | CreditPackPurchaseRequestResponseTermination;
}

/** Nothing is promised any more, and nobody can pay. */
export async function expectTerminated(
  seller: Node,
  answer: CreditPackPurchaseRequestResponse | CreditPackPurchaseRequestResponseTermination,
  reason: string,
): Promise<void> {
  assert.ok('termination_reason_string' in answer, 'an offer, where there should be none');
  assert.equal(answer.termination_reason_string, reason);
  const purchase = await purchaseAt(seller, answer.sha3_256_hash_of_credit_pack_purchase_request_fields);
  assert.deepEqual(
    [purchase?.state, purchase?.openAddress, purchase?.openSlot, purchase?.openTotalPatoshis],
    ['terminated', null, null, null],
  );
}

/** Pays an offer and gets its pack. */
export async function bought(bourse: Bourse, seller: Node, buyer: Signing, trackingAddress: string): Promise<void> {
  const fromHeight = bourse.market.height;
  const offer = await answerFor(bourse, seller, buyer, trackingAddress);
  assert.ok(offer instanceof CreditPackPurchaseRequestResponse, writeJson(offer));
  const burnTxid = await bourse.market.burn(offer);
  const confirmation = await bourse.market.confirmation(offer, burnTxid, buyer);
  const completion = (await sayTo(seller, 'confirmation', confirmation)) as Record<string, string>;
  await bourse.settle();
  await bourse.expectPack(burnTxid, completion['pastel_api_credit_pack_ticket_registration_txid']!, fromHeight, 1);
  await bourse.expectTold(offer);
}

/** Some peers are silent, some find the price wrong; when they have changed their minds the buyer tries again with the same address. */
export async function silentAndAgainst(bourse: Bourse, seed: number): Promise<void> {
  const chance = seeded(seed);
  const { silent, against } = PARTS[seed % PARTS.length]!;
  const seller = pick(chance, bourse.nodes);
  const peers = shuffled(
    chance,
    bourse.nodes.filter((node) => node !== seller),
  );
  const mute = new Set(peers.slice(0, silent));
  const opposed = peers.slice(silent, silent + against);
  const factor = pick(chance, [0.5, 0.94, 1.06, 2]);
  const fair = seller.usdPerPsl;
  bourse.carryPlainly((_, to) => !mute.has(to));
  for (const node of opposed) node.usdPerPsl = fair * factor;
  const [buyer, trackingAddress] = [drawnSigning(chance), await bourse.market.wallet.newAddress()];
  const expected = reasonOf(PEERS, PEERS - silent, PEERS - silent - against);
  try {
    if (expected === undefined) return await bought(bourse, seller, buyer, trackingAddress);
    await expectTerminated(seller, await answerFor(bourse, seller, buyer, trackingAddress), expected);
  } finally {
    for (const node of opposed) node.usdPerPsl = fair;
  }
  // A new request, or its hash would be that of the first.
  bourse.market.clock.advance(1_000);
  bourse.carryPlainly(() => true);
  await bought(bourse, seller, buyer, trackingAddress);
}
