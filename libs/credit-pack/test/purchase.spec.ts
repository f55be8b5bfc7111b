import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Chain } from '#chain';
import {
  CreditPackPurchasePriceAgreementRequestResponse,
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  CreditPackPurchaseRequestRejection,
  CreditPackPurchaseRequestResponse,
  CreditPackPurchaseRequestResponseTermination,
  CreditPackRequestStatusCheck,
  faultsOf,
  patoshisFromPsl,
  pooledChecking,
  PythonNumber,
  seal,
  writeJson,
} from '#protocol';
import { testDatabases } from '../../../test/support/databases.js';
import { AgreementService } from '../src/peers/agreement.service.js';
import { AnnouncementService } from '../src/peers/announcement.service.js';
import { ConfirmationService } from '../src/purchase/confirmation.service.js';
import { CreditPackSweeps } from '../src/credit-pack-sweeps.service.js';
import { PackLedger } from '../src/ledger/pack-ledger.js';
import { PurchaseRepository } from '../src/purchase/purchase.repository.js';
import { QuoteService } from '../src/purchase/quote.service.js';
import { StatusService } from '../src/purchase/status.service.js';
import { StorageRetryService } from '../src/purchase/storage-retry.service.js';
import type { Vote } from '../src/peers/agreement.rules.js';
import { VoteService } from '../src/peers/vote.service.js';
import { closestAgreeingTo } from '../src/purchase/storage-retry.rules.js';
import { TestMarket } from './harness.js';

const [sqlite, postgres] = testDatabases();
/** A file: a node that is started again finds its books. */
const books = [
  { name: sqlite!.name, url: async () => `sqlite:${join(await mkdtemp(join(tmpdir(), 'purchase-')), 'books.sqlite')}` },
  postgres!,
];
Logger.overrideLogger(false);
jest.setTimeout(90_000);

describe.each(books)('a purchase on $name', (database) => {
  let market: TestMarket;
  beforeAll(async () => {
    market = await TestMarket.open({ url: () => database.url() });
  });
  afterAll(() => market.close());

  test('a pack is bought, and the same messages again get the very same answers', async () => {
    const { seller } = market;
    const request = await market.request();
    const quote = await seller.get(QuoteService).quote(request);
    expect(quote).toBeInstanceOf(CreditPackPurchaseRequestPreliminaryPriceQuote);
    expect(writeJson(await seller.get(QuoteService).quote(request))).toBe(writeJson(quote));

    const yes = await market.quoteResponse(quote as CreditPackPurchaseRequestPreliminaryPriceQuote, {
      preliminary_quoted_price_per_credit_in_psl: PythonNumber.read('23.5'),
    });
    const offer = (await seller.get(AgreementService).answer(yes)) as CreditPackPurchaseRequestResponse;
    expect(offer).toBeInstanceOf(CreditPackPurchaseRequestResponse);
    expect(await faultsOf(offer, pooledChecking)).toEqual([]);
    expect(offer.proposed_total_cost_of_credit_pack_in_psl.text).toBe(
      (quote as CreditPackPurchaseRequestPreliminaryPriceQuote).preliminary_total_cost_of_credit_pack_in_psl.text,
    );
    expect(offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms).toHaveLength(3);
    expect(writeJson(await seller.get(AgreementService).answer(yes))).toBe(writeJson(offer));
    await expect(
      seller
        .get(AgreementService)
        .answer(await market.quoteResponse(quote as never, { agree_with_preliminary_price_quote: false })),
    ).rejects.toThrow('answered already');

    const statusOf = async () => {
      const check = await seal(
        CreditPackRequestStatusCheck,
        {
          sha3_256_hash_of_credit_pack_purchase_request_fields: offer.sha3_256_hash_of_credit_pack_purchase_request_fields,
          requesting_end_user_pastelid: market.buyer.pastelId,
        },
        market.buyer,
      );
      return (await seller.get(StatusService).status(check)).status;
    };
    expect(await statusOf()).toBe('approved');
    const confirmation = await market.confirmation(offer, await market.burn(offer));
    const [completion, sameTime] = await Promise.all([
      seller.get(ConfirmationService).confirm(confirmation),
      seller.get(ConfirmationService).confirm(confirmation),
    ]);
    expect(completion.credit_pack_confirmation_outcome_string).toBe('success');
    expect(writeJson(sameTime)).toBe(writeJson(completion));
    expect(writeJson(await seller.get(ConfirmationService).confirm(confirmation))).toBe(writeJson(completion));
    expect(await statusOf()).toBe('completed');
    expect(await statusOf()).toBe('completed');

    const txid = completion.pastel_api_credit_pack_ticket_registration_txid;
    const pack = await market.nodes[2]!.get(PackLedger).find(txid);
    expect(pack).toMatchObject({ initialMillicredits: 1_500_000, ownerPastelId: market.buyer.pastelId });
    expect(await seller.get(Chain).contractTickets('INFERENCE_API_CREDIT_PACK_TICKET', 0)).toHaveLength(1);

    // The address is a pack's now.
    const again = await seller
      .get(QuoteService)
      .quote(await market.request({ trackingAddress: offer.credit_usage_tracking_psl_address }));
    expect((again as CreditPackPurchaseRequestRejection).rejection_reason_string).toContain(
      'has already been used for a credit pack',
    );
  });

  test("the burn may come from anywhere, but it has to be this offer's", async () => {
    const { seller } = market;
    const [mine, theirs] = [await market.offer(), await market.offer({ signing: market.other })];
    const confirm = (txid: string) => market.confirmation(mine, txid).then((c) => seller.get(ConfirmationService).confirm(c));
    const foreign = await market.burn(theirs);
    const short = await market.burn(mine, -1);
    market.mine(4);
    const [mineTotal, theirTotal] = [mine, theirs].map((o) => patoshisFromPsl(o.proposed_total_cost_of_credit_pack_in_psl)!);
    await expect(confirm(foreign)).rejects.toThrow(theirTotal! > mineTotal! ? 'total of another offer' : 'burns');
    await expect(confirm(short)).rejects.toThrow('burns');
    // Nothing is lost: the right burn still counts, and the other buyer gets his pack.
    expect((await confirm(await market.burn(mine))).credit_pack_confirmation_outcome_string).toBe('success');
    const other = await market.confirmation(theirs, foreign, market.other);
    expect((await seller.get(ConfirmationService).confirm(other)).credit_pack_confirmation_outcome_string).toBe('success');
  });

  test('a burn that was mined in time counts although its confirmation comes late; one that never came does not', async () => {
    const { seller } = market;
    const [paid, unpaid] = [await market.offer(), await market.offer({ signing: market.other })];
    const burn = await market.burn(paid);
    market.mine(52);
    await seller.get(CreditPackSweeps).sweep(market.clock.now());
    const purchases = seller.get(PurchaseRepository);
    const hash = (offer: CreditPackPurchaseRequestResponse) => offer.sha3_256_hash_of_credit_pack_purchase_request_fields;
    expect(await purchases.find(hash(paid))).toMatchObject({ state: 'overdue', openTotalPatoshis: null, openAddress: null });
    const late = await seller.get(ConfirmationService).confirm(await market.confirmation(paid, burn));
    expect(late.credit_pack_confirmation_outcome_string).toBe('success');
    const nothing = await seller
      .get(ConfirmationService)
      .confirm(await market.confirmation(unpaid, 'ab'.repeat(32), market.other));
    expect(nothing).toMatchObject({
      credit_pack_confirmation_outcome_string: 'failure',
      pastel_api_credit_pack_ticket_registration_txid: '',
      credit_pack_confirmation_failure_reason_if_applicable:
        'Burn transaction not confirmed within the required number of blocks',
    });
  });

  test('a node that lost the answer of the registration, and was started anew, registers once', async () => {
    const { seller } = market;
    const tickets = () => seller.get(Chain).contractTickets('INFERENCE_API_CREDIT_PACK_TICKET', 0);
    const before = (await tickets()).length;
    const offer = await market.offer();
    const confirmation = await market.confirmation(offer, await market.burn(offer));
    market.mine(1);
    market.devnet.faults.failNext('tickets register', 1, { kind: 'lost-answer' }, seller.user);
    const completion = await seller.get(ConfirmationService).confirm(confirmation);
    expect(completion.credit_pack_confirmation_outcome_string).toBe('success');
    expect(await tickets()).toHaveLength(before + 1);
  });

  test('more than the total counts when the change goes to the tracking address; otherwise it waits for a better claim', async () => {
    const { seller } = market;
    const [tied, untied] = [await market.offer(), await market.offer({ signing: market.other })];
    const total = patoshisFromPsl(tied.proposed_total_cost_of_credit_pack_in_psl)!;
    const amounts = new Map([['44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7', total + 777]]);
    const burn = await market.wallet.sendMany(amounts, tied.credit_usage_tracking_psl_address);
    const large = await market.burn(untied, 333);
    market.mine(1);
    const confirm = async (offer: CreditPackPurchaseRequestResponse, txid: string, signing = market.buyer) =>
      seller.get(ConfirmationService).confirm(await market.confirmation(offer, txid, signing));
    expect((await confirm(tied, burn)).credit_pack_confirmation_outcome_string).toBe('success');
    const hash = tied.sha3_256_hash_of_credit_pack_purchase_request_fields;
    expect(await seller.get(PurchaseRepository).find(hash)).toMatchObject({ excessPatoshis: 777, burnTxid: burn });
    expect((await confirm(untied, large, market.other)).credit_pack_confirmation_outcome_string).toBe('success');
    // What paid once pays nothing else.
    const third = await market.offer({ credits: PythonNumber.read('10') });
    await expect(confirm(third, burn)).rejects.toThrow(/has paid for another|older than the offer/);
  });

  test('a node that dies after the claim goes on when it is started again', async () => {
    const { seller } = market;
    const { databaseUrl } = seller;
    const offer = await market.offer();
    const confirmation = await market.confirmation(offer, await market.burn(offer));
    const hash = offer.sha3_256_hash_of_credit_pack_purchase_request_fields;
    const mining = market.clock.onWait;
    market.clock.onWait = () => {
      throw new Error('dies');
    };
    await expect(seller.get(ConfirmationService).confirm(confirmation)).rejects.toThrow('dies');
    market.clock.onWait = mining;
    await seller.module.close();
    await market.start(seller, databaseUrl);
    for (let i = 0; i < 3; i++) {
      market.mine(1);
      market.clock.advance(15_000);
      await seller.get(CreditPackSweeps).sweep(market.clock.now());
    }
    const purchase = await seller.get(PurchaseRepository).find(hash);
    expect(purchase).toMatchObject({ state: 'completed' });
    const completion = await seller.get(ConfirmationService).confirm(confirmation);
    expect(writeJson(completion)).toBe(writeJson(purchase!.confirmationResponse));
  });

  test('a ticket that a reorganisation took away is written again', async () => {
    const { seller } = market;
    const offer = await market.offer();
    const burn = await market.burn(offer);
    market.mine(3);
    const completion = await seller.get(ConfirmationService).confirm(await market.confirmation(offer, burn));
    const txid = completion.pastel_api_credit_pack_ticket_registration_txid;
    const { height } = (await seller.get(Chain).contractTicket(txid))!;
    market.devnet.controls.reorganise(market.height - height + 1, { drop: [txid] });
    expect(await seller.get(Chain).contractTicket(txid)).toBeUndefined();
    market.clock.advance(120_000);
    await seller.get(CreditPackSweeps).sweep(market.clock.now());
    market.mine(1);
    const hash = offer.sha3_256_hash_of_credit_pack_purchase_request_fields;
    const purchase = await seller.get(PurchaseRepository).find(hash);
    expect(purchase!.state).toBe('completed');
    const ticket = await seller.get(Chain).contractTicket(purchase!.registrationTxid!);
    expect(ticket?.height).toBe(market.height);
  });

  test('an offer is announced to the peers, and one of them stores the ticket when the seller is gone', async () => {
    const offer = await market.offer();
    const agreeing = offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms;
    const confirmation = await market.confirmation(offer, await market.burn(offer));
    const closest = market.nodes.find(({ pastelId }) => pastelId === closestAgreeingTo(market.buyer.pastelId, agreeing))!;
    await closest.get(AnnouncementService).offer(offer);
    await closest.get(AnnouncementService).confirmation(confirmation);
    market.mine(2);
    const retry = async () => closest.get(StorageRetryService).retry(await market.storageRetry(offer, closest.pastelId));
    await expect(retry()).rejects.toThrow('more than 10 blocks');
    market.mine(10);
    const answer = await retry();
    expect(answer).toMatchObject({
      credit_pack_storage_retry_confirmation_outcome_string: 'success',
      credit_pack_storage_retry_confirmation_failure_reason_if_applicable: 'NA',
    });
    // The seller comes back, and finds the ticket instead of writing another one.
    const late = await market.seller
      .get(ConfirmationService)
      .confirm(await market.confirmation(offer, confirmation.txid_of_credit_purchase_burn_transaction))
      .catch((e: Error) => e.message);
    expect(late).toContain('has paid for another credit pack');
    expect(await closest.get(PackLedger).find(answer.pastel_api_credit_pack_ticket_registration_txid)).toBeDefined();
  });
});

describe('what does not come to a purchase', () => {
  let market: TestMarket;
  beforeAll(async () => {
    market = await TestMarket.open({ url: () => sqlite!.url(), environment: { OPEN_OFFERS_PER_PASTELID_MAX: '4' } });
  });
  afterAll(() => market.close());
  const reasonOf = async (draft: Parameters<TestMarket['request']>[0]) =>
    ((await market.seller.get(QuoteService).quote(await market.request(draft))) as CreditPackPurchaseRequestRejection)
      .rejection_reason_string;

  test('requests out of range, in fractions, stale, or with a foreign address are rejected in a signed message', async () => {
    expect(await reasonOf({ credits: PythonNumber.read('9') })).toBe(
      'Requested initial credits in credit pack must be greater than or equal to 10 credits!',
    );
    expect(await reasonOf({ credits: PythonNumber.read('1000001') })).toBe(
      'Requested initial credits in credit pack exceeds the maximum of 1000000 credits allowed in a single credit pack!',
    );
    expect(await reasonOf({ credits: PythonNumber.read('10.5') })).toContain('whole number');
    expect(await reasonOf({ height: market.height - 2 })).toContain('Pastel block height in field request_pastel_block_height');
    expect(await reasonOf({ trackingAddress: '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7' })).toContain('no address of the devnet');
    expect(await reasonOf({ trackingAddress: 'PtpasteLBurnAddressXXXXXXXXXXbJ5ndd' })).toContain('no address of the devnet');
  });

  test('an integral float is a whole number', async () => {
    expect(await market.offer({ credits: PythonNumber.read('1500.0') })).toBeInstanceOf(CreditPackPurchaseRequestResponse);
  });

  test('a rejected request stays rejected, word for word', async () => {
    const request = await market.request({ credits: PythonNumber.read('1') });
    const [first, second] = [
      await market.seller.get(QuoteService).quote(request),
      await market.seller.get(QuoteService).quote(request),
    ];
    expect(first).toBeInstanceOf(CreditPackPurchaseRequestRejection);
    expect(writeJson(second)).toBe(writeJson(first));
  });

  test('a quote response that is not the quote is refused, and a no closes the quote', async () => {
    const agreements = market.seller.get(AgreementService);
    const quote = (await market.seller
      .get(QuoteService)
      .quote(await market.request())) as CreditPackPurchaseRequestPreliminaryPriceQuote;
    const changed = [
      { preliminary_quoted_price_per_credit_in_psl: PythonNumber.float(0.1) },
      { credit_pack_purchase_request_fields_json_b64: 'e30=' },
      { credit_usage_tracking_psl_address: await market.wallet.newAddress() },
    ];
    for (const changes of changed)
      await expect(agreements.answer(await market.quoteResponse(quote, changes))).rejects.toThrow('is not that of the quote');
    await expect(agreements.answer(await market.quoteResponse(quote, {}, market.other))).rejects.toThrow(
      'is not that of the quote',
    );
    const no = await market.quoteResponse(quote, { agree_with_preliminary_price_quote: false });
    await expect(agreements.answer(no)).rejects.toThrow('End user does not agree with preliminary price quote');
    await expect(agreements.answer(no)).rejects.toThrow('End user does not agree with preliminary price quote');
    await expect(agreements.answer(await market.quoteResponse(quote))).rejects.toThrow('answered already');
  });

  test('open offers of a PastelID are few, and lapse', async () => {
    const quotes = market.seller.get(QuoteService);
    for (let i = 0; i < 3; i++)
      expect(await quotes.quote(await market.request())).toBeInstanceOf(CreditPackPurchaseRequestPreliminaryPriceQuote);
    expect(await reasonOf({})).toContain('has 4 open offers already');
    expect(await quotes.quote(await market.request({ signing: market.other }))).toBeInstanceOf(
      CreditPackPurchaseRequestPreliminaryPriceQuote,
    );
    market.clock.advance(31 * 60_000);
    await market.seller.get(CreditPackSweeps).sweep(market.clock.now());
    expect(await quotes.quote(await market.request())).toBeInstanceOf(CreditPackPurchaseRequestPreliminaryPriceQuote);
  });

  test('peers that disagree or keep silent terminate the purchase; forged votes do not count', async () => {
    const [, one, two, three] = market.nodes;
    const ended = async () =>
      (await market.offer({ signing: market.other })) as unknown as CreditPackPurchaseRequestResponseTermination;
    one!.isSilent = two!.isSilent = true;
    expect((await ended()).termination_reason_string).toBe(
      'Not enough supernodes responded with valid price agreement responses',
    );
    one!.isSilent = two!.isSilent = false;
    one!.usdPerPsl = two!.usdPerPsl = 0.0006;
    expect((await ended()).termination_reason_string).toBe('Not enough supernodes agreed to the proposed pricing');
    one!.usdPerPsl = two!.usdPerPsl = 0.0005;
    // One peer speaks for another, one votes on another price.
    const changed = (vote: Vote, changes: Partial<Vote>): Vote =>
      Object.assign(new CreditPackPurchasePriceAgreementRequestResponse(), vote, changes);
    two!.forge = (vote) => changed(vote, { responding_supernode_pastelid: one!.pastelId });
    three!.forge = (vote) => changed(vote, { proposed_psl_price_per_credit: PythonNumber.float(1) });
    expect((await ended()).termination_reason_string).toContain('Not enough supernodes');
  });

  test('votes are for listed supernodes only, and the same question gets the same vote', async () => {
    const { module } = market.seller;
    expect(module).toBeDefined();
    const stranger = market.buyer;
    const question = {
      supernode_requesting_price_agreement_pastelid: stranger.pastelId,
      sha3_256_hash_of_price_agreement_request_fields: 'cd'.repeat(32),
    };
    await expect(market.nodes[1]!.get(VoteService).vote(question as never)).rejects.toThrow('listed supernodes only');
  });
});
