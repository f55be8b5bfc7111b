import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Transactions } from '#database';
import {
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  CreditPackPurchaseRequestRejection,
  CreditPackPurchaseRequestResponse,
  faultsOf,
  pooledChecking,
  PythonNumber,
  seal,
  Signing,
} from '#protocol';
import { testDatabases } from '../../../test/support/databases.js';
import { TOO_FEW_AGREED } from '../src/peers/agreement.rules.js';
import { BrokenAgreementRow } from '../src/peers/announced-offer.entity.js';
import { AnnouncedOfferRepository } from '../src/peers/announced-offer.repository.js';
import { AnnouncementService } from '../src/peers/announcement.service.js';
import { ConfirmationService } from '../src/purchase/confirmation.service.js';
import { CreditPackSweeps } from '../src/credit-pack-sweeps.service.js';
import { PurchaseMessages } from '../src/purchase/purchase-messages.js';
import { PurchaseRepository } from '../src/purchase/purchase.repository.js';
import { QuoteService } from '../src/purchase/quote.service.js';
import { RegistrationService } from '../src/purchase/registration.service.js';
import { StorageRetryService } from '../src/purchase/storage-retry.service.js';
import { closestAgreeingTo } from '../src/purchase/storage-retry.rules.js';
import { VoteService } from '../src/peers/vote.service.js';
import { TestMarket, type Node } from './harness.js';

Logger.overrideLogger(false);
jest.setTimeout(90_000);
const DAY_MS = 86_400_000;

let market: TestMarket;
beforeAll(async () => {
  market = await TestMarket.open({ url: () => testDatabases()[0]!.url() });
});
afterAll(() => market.close());

const confirmed = async (offer: CreditPackPurchaseRequestResponse, burn: string) =>
  market.seller.get(ConfirmationService).confirm(await market.confirmation(offer, burn));
const purchaseOf = (offer: CreditPackPurchaseRequestResponse) =>
  market.seller.get(PurchaseRepository).find(offer.sha3_256_hash_of_credit_pack_purchase_request_fields);

test('an offer survives a reorganisation of the newest blocks', async () => {
  const offer = await market.offer();
  market.devnet.controls.reorganise(2);
  const burn = await market.burn(offer);
  market.mine(3);
  expect(await confirmed(offer, burn)).toMatchObject({ credit_pack_confirmation_outcome_string: 'success' });
});

test('a ticket that can never be written is given up in the end, and another burn may be named', async () => {
  const offer = await market.offer();
  market.devnet.controls.reorganise(12);
  const burn = await market.burn(offer);
  market.mine(3);
  const onWait = market.clock.onWait;
  market.clock.onWait = () => market.clock.advance(30 * 60_000);
  await expect(confirmed(offer, burn)).rejects.toThrow('Not decided yet');
  market.clock.onWait = onWait;
  market.clock.advance(4 * DAY_MS);
  await market.seller.get(CreditPackSweeps).sweep(market.clock.now());
  expect(await purchaseOf(offer)).toMatchObject({ state: 'failed', openSlot: null, openAddress: null });
});

/** What a supernode that keeps to no rule of its own asks its peers. */
const question = async (asking: Node, draft: Parameters<TestMarket['request']>[0]) => {
  const messages = asking.get(PurchaseMessages);
  const quote = await messages.quote(await market.request(draft), 23.5, 3_525_000_000, market.height);
  return messages.question(quote, market.height);
};

test('nobody gets votes for a pack on the tracking address of another buyer', async () => {
  const [honest, hostile, voter] = market.nodes as [Node, Node, Node];
  const trackingAddress = await market.wallet.newAddress();
  const vote = async (asking: Node, draft: object) =>
    voter.get(VoteService).vote(await question(asking, { trackingAddress, ...draft }));
  expect(await vote(honest, {})).toMatchObject({ agree_with_proposed_price: true });
  const credits = PythonNumber.read('10');
  await expect(vote(hostile, { signing: market.other, credits })).rejects.toThrow('another buyer');
  // The buyer may go to the next supernode.
  expect(await vote(hostile, { credits })).toMatchObject({ agree_with_proposed_price: true });
  market.mine(60);
  expect(await vote(hostile, { signing: market.other, credits })).toMatchObject({ agree_with_proposed_price: true });
});

test('of two that ask at once for one address at most one gets the vote', async () => {
  const [honest, hostile, voter] = market.nodes as [Node, Node, Node];
  const trackingAddress = await market.wallet.newAddress();
  const questions = [
    await question(honest, { trackingAddress }),
    await question(hostile, { trackingAddress, signing: market.other }),
  ];
  const answers = await Promise.allSettled(questions.map((one) => voter.get(VoteService).vote(one)));
  expect(answers.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(2);
});

test('an offer that its buyer does not pay keeps no other supernode from selling to him, only to others', async () => {
  const next = market.nodes[1]!;
  const trackingAddress = await market.wallet.newAddress();
  const asked = async (signing = market.buyer) =>
    next.get(QuoteService).quote(await market.request({ trackingAddress, signing, credits: PythonNumber.read('10') }));
  const offer = await market.offer({ trackingAddress });
  await next.get(AnnouncementService).offer(offer);
  expect(await asked(market.other)).toBeInstanceOf(CreditPackPurchaseRequestRejection);
  expect(await asked()).toBeInstanceOf(CreditPackPurchaseRequestPreliminaryPriceQuote);
  await next.get(AnnouncementService).confirmation(await market.confirmation(offer, 'ab'.repeat(32)));
  // Another request than the one that has its quote.
  market.clock.advance(1_000);
  expect(await asked()).toBeInstanceOf(CreditPackPurchaseRequestRejection);
});

/** A seller's second offer for the same request, a little dearer. */
const secondOffer = async (offer: CreditPackPurchaseRequestResponse) => {
  const { sha3_256_hash_of_credit_pack_purchase_request_response_fields: _, ...fields } = offer;
  const total = PythonNumber.float(offer.proposed_total_cost_of_credit_pack_in_psl.value + 1);
  const draft = { ...fields, proposed_total_cost_of_credit_pack_in_psl: total };
  return seal(CreditPackPurchaseRequestResponse, draft, market.seller.get(Signing));
};

test('a supernode announces one offer for a request, not a cloud of totals', async () => {
  const offer = await market.offer();
  const peer = market.nodes[1]!.get(AnnouncementService);
  await peer.offer(offer);
  await peer.offer(offer);
  await expect(peer.offer(await secondOffer(offer))).rejects.toThrow('another offer');
});

test('of two offers that come at once one is taken, however often each comes', async () => {
  const quiet = market.nodes[1]!;
  quiet.isSilent = true;
  const offer = await market.offer();
  quiet.isSilent = false;
  const both = [offer, await secondOffer(offer)];
  const answers = await Promise.allSettled([...both, ...both].map((one) => quiet.get(AnnouncementService).offer(one)));
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  const kept = await quiet.get(AnnouncedOfferRepository).ofRequest(offer.sha3_256_hash_of_credit_pack_purchase_request_fields);
  expect(kept).toHaveLength(1);
});

test('a seller that takes the burn and claims a ticket that is nowhere does not keep others from storing it', async () => {
  const offer = await market.offer();
  const agreeing = offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms;
  const confirmation = await market.confirmation(offer, await market.burn(offer));
  const closest = market.nodes.find(({ pastelId }) => pastelId === closestAgreeingTo(market.buyer.pastelId, agreeing))!;
  await closest.get(AnnouncementService).offer(offer);
  await closest.get(AnnouncementService).confirmation(confirmation);
  const lie = { outcome: 'success', registrationTxid: 'ab'.repeat(32), reason: '' } as const;
  const completion = await market.seller.get(PurchaseMessages).confirmationResponse(confirmation, lie);
  await closest.get(AnnouncementService).completion(completion);
  market.mine(12);
  const retry = await market.storageRetry(offer, closest.pastelId);
  const answer = await closest.get(StorageRetryService).retry(retry);
  expect(answer).toMatchObject({ credit_pack_storage_retry_confirmation_outcome_string: 'success' });
});

test('a vote against lends no signature to a ticket, and counts as an answer all the same', async () => {
  const [asking, voter] = market.nodes as [Node, Node];
  const asked = await question(asking, {});
  voter.usdPerPsl *= 2;
  const vote = await voter.get(VoteService).vote(asked);
  voter.usdPerPsl /= 2;
  const { credit_pack_purchase_request_fields_json_b64: request } = asked;
  const signature = vote.responding_supernode_signature_on_credit_pack_purchase_request_fields_json_b64;
  expect(vote.agree_with_proposed_price).toBe(false);
  expect(await pooledChecking.verify(voter.pastelId, request, signature)).toBe(false);
  expect(await faultsOf(vote, pooledChecking)).toEqual([]);
  // The original signs the request in a vote against, too.
  vote.responding_supernode_signature_on_credit_pack_purchase_request_fields_json_b64 = await voter.get(Signing).sign(request);
  expect(await faultsOf(vote, pooledChecking)).toEqual([]);
  vote.agree_with_proposed_price = true;
  expect(await faultsOf(vote, pooledChecking)).not.toEqual([]);
});

test('where all peers are against, the reason is that they did not agree, not that they did not answer', async () => {
  const peers = market.nodes.slice(1);
  for (const peer of peers) peer.usdPerPsl *= 2;
  const answer = await market.offer();
  for (const peer of peers) peer.usdPerPsl /= 2;
  expect(answer).toMatchObject({ termination_reason_string: TOO_FEW_AGREED });
});

test('voters tell of a ticket that shows their signature beside another price', async () => {
  const told = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  const honest = await market.offer();
  const { sha3_256_hash_of_credit_pack_purchase_request_response_fields: _, ...fields } = honest;
  const price = honest.psl_cost_per_credit.value / 2;
  const cheap = await seal(
    CreditPackPurchaseRequestResponse,
    {
      ...fields,
      psl_cost_per_credit: PythonNumber.float(price),
      proposed_total_cost_of_credit_pack_in_psl: PythonNumber.float(1500 * price),
    },
    market.seller.get(Signing),
  );
  for (const offer of [honest, cheap]) {
    const confirmation = await market.confirmation(offer, await market.burn(offer));
    market.mine(3);
    await market.seller.get(RegistrationService).register(offer, confirmation, null);
    market.mine(1);
    for (const { module } of market.nodes) await module.get(CreditPackSweeps).sweep(market.clock.now());
    const rows = await Promise.all(market.nodes.map((node) => node.get(Transactions).reader.find(BrokenAgreementRow)));
    const { psl_cost_per_credit: agreed } = honest;
    const said = {
      sellerPastelId: market.seller.pastelId,
      ticketPrice: String(price),
      agreedPrices: JSON.stringify([agreed.text]),
    };
    const expected = offer === honest ? [] : [expect.objectContaining(said)];
    expect(rows).toEqual([[], expected, expected, expected]);
    expect(told).toHaveBeenCalledTimes(offer === honest ? 0 : 3);
  }
  told.mockRestore();
});
