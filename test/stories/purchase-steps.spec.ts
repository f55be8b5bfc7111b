import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import {
  CreditPackPurchaseRequestPreliminaryPriceQuote as Quote,
  type CreditPackPurchaseRequestRejection as Rejection,
  CreditPackPurchaseRequestResponse as Offer,
  exchanges,
  patoshisFromPsl,
  PythonNumber,
  writeJson,
} from '#protocol';
import { TestNetwork, type RunningSupernode } from '../support/network.js';
import {
  Buyer,
  credits,
  expectNothingSold,
  expectSold,
  moneyOf,
  purchaseAt,
  purchasesAt,
  refusalOf,
  totalOf,
} from '../support/purchase.js';

const OFFERS_MAX = 3;
const PRICE_PATOSHIS = 2_350_000;
jest.setTimeout(60_000);
let network: TestNetwork;
let seller: RunningSupernode;

beforeAll(async () => {
  network = await TestNetwork.start({ environment: { OPEN_OFFERS_PER_PASTELID_MAX: String(OFFERS_MAX) } });
  seller = network.supernodes[0]!;
});
afterAll(() => network.close());

test('a pack is bought, and each message again gets its first answer, also blocks later', async () => {
  const buyer = await Buyer.of(network);
  const before = moneyOf(network);
  const repeated = async <T extends object>(send: () => Promise<T>): Promise<T> => {
    const first = await network.until(send());
    expect(writeJson(await network.until(send()))).toBe(writeJson(first));
    network.mine(3);
    expect(writeJson(await network.until(send()))).toBe(writeJson(first));
    return first;
  };
  const request = await buyer.request(credits('20'));
  const quote = (await repeated(() => buyer.send(seller, exchanges.purchaseRequest, request))) as Quote;
  const agreement = await buyer.agreement(quote);
  const offer = (await repeated(() => buyer.send(seller, exchanges.quoteResponse, agreement))) as Offer;
  expect(offer.proposed_total_cost_of_credit_pack_in_psl.text).toBe(quote.preliminary_total_cost_of_credit_pack_in_psl.text);
  expect(await buyer.statusAt(seller, offer)).toBe('approved');

  const confirmation = await buyer.confirmation(offer, await buyer.burn(offer));
  const completion = await repeated(() => buyer.send(seller, exchanges.confirmation, confirmation));
  expect(completion.credit_pack_confirmation_outcome_string).toBe('success');
  const registrationTxid = completion.pastel_api_credit_pack_ticket_registration_txid;
  expect(await buyer.statusAt(seller, offer)).toBe('completed');
  await expectSold(network, before, [{ registrationTxid, payer: seller.user }]);
  expect(await purchaseAt(seller, request.sha3_256_hash_of_credit_pack_purchase_request_fields)).toMatchObject({
    state: 'completed',
    totalPatoshis: totalOf(offer),
    excessPatoshis: 0,
    registrationTxid,
  });
});

test('every total carries a surplus of its own, so that no burn can be mistaken for another', async () => {
  const buyers = await Promise.all([Buyer.of(network), Buyer.of(network), Buyer.of(network)]);
  const quotes = await Promise.all(
    buyers.flatMap((buyer) => Array.from({ length: OFFERS_MAX }, () => buyer.quote(seller, credits('20')))),
  );
  const totals = quotes.map((quote) => patoshisFromPsl(quote.preliminary_total_cost_of_credit_pack_in_psl)!);
  expect(new Set(totals).size).toBe(totals.length);
  for (const total of totals) {
    expect(total).toBeGreaterThanOrEqual(20 * PRICE_PATOSHIS);
    expect(total).toBeLessThan(20 * PRICE_PATOSHIS * 1.001);
  }
});

test('an answer to the quote that is not the quote in every field is refused, and nothing is stored', async () => {
  const [buyer, other] = [await Buyer.of(network), await Buyer.of(network)];
  const before = moneyOf(network);
  const quote = await buyer.quote(seller);
  const theirs = await other.quote(seller);
  const { text } = quote.preliminary_quoted_price_per_credit_in_psl;
  const altered = [
    { preliminary_quoted_price_per_credit_in_psl: PythonNumber.float(Number(text) - 0.1) },
    { preliminary_quoted_price_per_credit_in_psl: PythonNumber.float(Number(text) * 2) },
    { credit_pack_purchase_request_fields_json_b64: theirs.credit_pack_purchase_request_fields_json_b64 },
    { credit_usage_tracking_psl_address: await network.user.wallet.newAddress() },
    {
      sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields:
        theirs.sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields,
    },
  ];
  for (const changes of altered) {
    const refusal = await refusalOf(buyer.send(seller, exchanges.quoteResponse, await buyer.agreement(quote, changes)));
    expect(refusal).toEqual({
      status: 400,
      detail: `Invalid quote response: ${Object.keys(changes)[0]!} is not that of the quote`,
    });
  }
  const stranger = await refusalOf(other.send(seller, exchanges.quoteResponse, await other.agreement(quote)));
  expect(stranger).toEqual({
    status: 400,
    detail: 'Invalid quote response: requesting_end_user_pastelid is not that of the quote',
  });
  const unknown = { sha3_256_hash_of_credit_pack_purchase_request_fields: 'ab'.repeat(32) };
  const nothing = await refusalOf(buyer.send(seller, exchanges.quoteResponse, await buyer.agreement(quote, unknown)));
  expect(nothing.status).toBe(404);

  const requestHash = quote.sha3_256_hash_of_credit_pack_purchase_request_fields;
  expect(await purchaseAt(seller, requestHash)).toMatchObject({ state: 'quoted', quoteResponse: null });
  await expectNothingSold(network, before);
  expect(await buyer.send(seller, exchanges.quoteResponse, await buyer.agreement(quote))).toBeInstanceOf(Offer);
});

test('a no closes the quote for good', async () => {
  const buyer = await Buyer.of(network);
  const quote = await buyer.quote(seller);
  const no = await buyer.agreement(quote, { agree_with_preliminary_price_quote: false });
  for (let time = 0; time < 2; time++)
    expect(await refusalOf(buyer.send(seller, exchanges.quoteResponse, no))).toEqual({
      status: 400,
      detail: 'End user does not agree with preliminary price quote',
    });
  const yes = await refusalOf(buyer.send(seller, exchanges.quoteResponse, await buyer.agreement(quote)));
  expect(yes).toEqual({ status: 409, detail: 'The quote has been answered already' });
});

test('a PastelID has few offers open, however many it asks for at once; they lapse', async () => {
  const buyer = await Buyer.of(network);
  const before = moneyOf(network);
  const requests = await Promise.all(Array.from({ length: 2 * OFFERS_MAX }, () => buyer.request()));
  const answers = await Promise.all(requests.map((request) => buyer.send(seller, exchanges.purchaseRequest, request)));
  const quotes = answers.filter((answer) => answer instanceof Quote);
  expect(quotes).toHaveLength(OFFERS_MAX);
  for (const answer of answers.filter((one) => !(one instanceof Quote)))
    expect((answer as Rejection).rejection_reason_string).toContain(`has ${OFFERS_MAX} open offers already`);
  const ofBuyer = (await purchasesAt(seller)).filter(({ requestHash }) =>
    requests.some((request) => request.sha3_256_hash_of_credit_pack_purchase_request_fields === requestHash),
  );
  expect(ofBuyer.map(({ state }) => state).sort()).toEqual([
    ...Array.from({ length: OFFERS_MAX }, () => 'quoted'),
    ...Array.from({ length: OFFERS_MAX }, () => 'rejected'),
  ]);

  network.clock.advance(31 * 60_000);
  const late = await refusalOf(buyer.send(seller, exchanges.quoteResponse, await buyer.agreement(quotes[0]!)));
  expect(late).toEqual({ status: 409, detail: 'The quote has expired' });
  await network.sweep();
  expect(await buyer.quote(seller)).toBeInstanceOf(Quote);
  await expectNothingSold(network, before);
});
