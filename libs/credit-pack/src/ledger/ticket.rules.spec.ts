import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Transaction } from '#chain';
import { directChecking, encodeBase64, faultsOf, PythonNumber, type CreditPackPurchaseRequestResponse } from '#protocol';
import {
  BURN,
  FakeChain,
  offerOf,
  registerSupernodes,
  saleOf,
  seller,
  user,
  voters,
  type Sale,
  type SaleOptions,
} from './pack-ledger.spec-suite.js';
import {
  burnWindow,
  paymentFaults,
  plannedTicketFaults,
  soldBy,
  ticketFaults,
  type OfferFacts,
  type TicketTerms,
} from './ticket.rules.js';

const terms: TicketTerms = { creditsMin: 10, creditsMax: 1_000_000, quorum: 0.51, majority: 0.51, burnWindowBlocks: 50 };
const chain = new FakeChain();
registerSupernodes(chain);
let good: Sale;
beforeAll(async () => {
  good = await saleOf(chain);
});

const factsOf = async (response: CreditPackPurchaseRequestResponse): Promise<OfferFacts> => ({
  sealFaults: await faultsOf(response, directChecking),
  requestSigners: new Set(
    response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion,
  ),
  supernodes: new Set([seller, ...voters].map(({ pastelId }) => pastelId)),
  merkleRoot: (await chain.block(response.best_block_height))?.merkleRoot,
});
const planned = async (options: SaleOptions, facts: Partial<OfferFacts> = {}, more: Partial<TicketTerms> = {}) => {
  const response = await offerOf(chain, options);
  return plannedTicketFaults(response, { ...(await factsOf(response)), ...facts }, { ...terms, ...more });
};

describe('an offer', () => {
  test('that is in order has no faults', async () => expect(await planned({})).toEqual([]));
  test('with a surplus has none either', async () => expect(await planned({ total: 30_000.00123 })).toEqual([]));
  test.each<[string, SaleOptions, RegExp]>([
    ['too few credits', { credits: '9' }, /9 credits are not within/],
    ['too many credits', { credits: '1000001' }, /not within/],
    ['credits with two decimals', { credits: '10.25' }, /no number of credits/],
    ['a total below its price', { total: 29_999.99999 }, /total is less/],
    ['a price of nothing', { price: 0 }, /total is less/],
    ['too few agreeing', { agreeing: voters.slice(0, 2) }, /Too few of the supernodes asked agreed/],
    ['nobody asked', { asked: [], agreeing: [] }, /Too few/],
    ['a blacklist that leaves no quorum', { blacklisted: ['a', 'b', 'c', 'd'] }, /for a quorum/],
    ['a vote that nobody asked for', { asked: voters.slice(1) }, /agrees that was not asked/],
    ['a repeated vote', { agreeing: [...voters, voters[0]!] }, /listed twice/],
    ['the seller among the voters', { asked: [seller, ...voters] }, /own price/],
    ['an unknown voter', { asked: [...voters, user], agreeing: [...voters, user] }, /was no supernode/],
    ['an old block of selection', { change: { request_response_pastel_block_height: 1014 } }, /more than 10 blocks/],
    ['another merkle root', { change: { best_block_merkle_root: 'ab'.repeat(32) } }, /merkle root is not/],
    ['another tracking address', { change: { credit_usage_tracking_psl_address: 'x' } }, /another tracking address/],
    [
      'a missing signer',
      {
        change: {
          list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion: [
            voters[0]!.pastelId,
          ],
        },
      },
      /selected supernodes/,
    ],
    [
      'a request of another hash',
      { change: { credit_pack_purchase_request_fields_json_b64: encodeBase64('{}') } },
      /request hash/,
    ],
    [
      'a request that is no JSON',
      { change: { credit_pack_purchase_request_fields_json_b64: encodeBase64('{') } },
      /request hash/,
    ],
  ])('with %s', async (_, options, fault) => expect((await planned(options)).join('\n')).toMatch(fault));

  test('with a signature that is not good', async () =>
    expect(
      (await planned({}, { requestSigners: new Set() })).filter((fault) => fault.includes('is missing or wrong')),
    ).toHaveLength(4));
  test('that was changed after it was sealed', async () => {
    const response = await offerOf(chain);
    response.psl_cost_per_credit = PythonNumber.float(19);
    expect(plannedTicketFaults(response, await factsOf(response), terms).join()).toMatch(/SHA3-256 hash/);
  });
  test('is held to the stricter share before it is made', async () => {
    const options = { agreeing: voters.slice(0, 3) };
    expect(await planned(options, {}, { majority: 0.75 })).toEqual([]);
    expect(await planned(options, {}, { majority: 0.76 })).toHaveLength(1);
  });

  test('never with a total below the price, whatever the amounts', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: -5000, max: 5000 }), (tenthsOfPsl, difference) => {
        const needed = 1500 * tenthsOfPsl * 10_000;
        const patoshis = needed + difference;
        fc.pre(patoshis > 0);
        const response = Object.assign(
          Object.create(Object.getPrototypeOf(good.response) as object),
          good.response,
        ) as CreditPackPurchaseRequestResponse;
        response.psl_cost_per_credit = PythonNumber.float(tenthsOfPsl / 10);
        response.proposed_total_cost_of_credit_pack_in_psl = PythonNumber.float(patoshis / 100_000);
        const price = { ...terms, creditsMin: 1500, creditsMax: 1500 };
        const facts = {
          sealFaults: [],
          requestSigners: new Set<string>(),
          supernodes: new Set<string>(),
          merkleRoot: undefined,
        };
        const isRefused = plannedTicketFaults(response, facts, price).some((fault) => fault.startsWith('The total is less'));
        expect(isRefused).toBe(patoshis < needed);
      }),
    ));
});

describe('a ticket', () => {
  const faults = async (parts: Partial<Sale>, height = chain.tip + 2) => {
    const ticket = { ...good, ...parts };
    const confirmationFaults = await faultsOf(ticket.confirmation, directChecking);
    return ticketFaults(ticket, { ...(await factsOf(ticket.response)), confirmationFaults, height }, terms);
  };
  test('in order', async () => expect(await faults({})).toEqual([]));
  test('below the height of its own offer', async () => expect((await faults({}, 900)).join()).toMatch(/above its own ticket/));
  test('confirmed by another user', async () => {
    const { confirmation } = await saleOf(chain, { owner: voters[0]! });
    expect((await faults({ confirmation })).join()).toMatch(/another user/);
  });
  test('with the confirmation of another offer', async () => {
    const { confirmation } = await saleOf(chain, { total: 31_000 });
    expect(await faults({ confirmation })).toEqual(['The confirmation is for another response than the response']);
  });
  test('whose confirmation was changed', async () => {
    const confirmation = Object.assign(Object.create(Object.getPrototypeOf(good.confirmation) as object), good.confirmation, {
      txid_of_credit_purchase_burn_transaction: 'cd'.repeat(32),
    }) as Sale['confirmation'];
    expect((await faults({ confirmation })).join()).toMatch(/SHA3-256 hash/);
  });
});

describe('its burn', () => {
  const burned = (patoshis: number, height?: number): Transaction => ({
    txid: '00'.repeat(32),
    inputs: [],
    outputs: [
      { index: 0, address: BURN, patoshis },
      { index: 1, address: 'elsewhere', patoshis: 10 ** 12 },
    ],
    confirmations: 1,
    ...(height !== undefined && { mined: { height, blockHash: 'x' } }),
  });
  const total = 1500 * 20 * 100_000;
  const faults = (transaction: Transaction) => paymentFaults(good.response, transaction, BURN, terms);
  test('matches or exceeds', () => {
    const [first, last] = burnWindow(good.response, terms);
    for (const height of [first, last]) expect(faults(burned(total, height))).toEqual([]);
    expect(faults(burned(total + 1, last))).toEqual([]);
  });
  test('too small, too early, too late, not mined', () => {
    const [first, last] = burnWindow(good.response, terms);
    for (const transaction of [burned(total - 1, first), burned(total, first - 1), burned(total, last + 1), burned(total)])
      expect(faults(transaction)).toHaveLength(1);
  });
  test('is rounded to five decimals as clients do', async () => {
    const response = await offerOf(chain, { total: 882300.0000000001, price: 588.2 });
    expect(paymentFaults(response, burned(88_230_000_000, chain.tip), BURN, terms)).toEqual([]);
  });
});

test('what is sold is read from the signed request alone', async () => {
  const response = await offerOf(chain, { credits: '1500.0', users: ['a', 'b'] });
  expect(soldBy(response)).toMatchObject({
    initialMillicredits: 1_500_000,
    requestedCredits: '1500.0',
    authorisedPastelIds: ['a', 'b'],
    ownerPastelId: user.pastelId,
  });
});
