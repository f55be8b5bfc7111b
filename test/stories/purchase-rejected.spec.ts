import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestRejection as Rejection,
  decodeBase64Text,
  exchanges,
  networks,
  sha3,
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
  refusalOf,
  type Money,
} from '../support/purchase.js';

jest.setTimeout(60_000);
let network: TestNetwork;
let seller: RunningSupernode;
let buyer: Buyer;
let before: Money;

beforeAll(async () => {
  network = await TestNetwork.start();
  seller = network.supernodes[0]!;
  buyer = await Buyer.of(network);
  before = moneyOf(network);
});
afterAll(() => network.close());

/** The signed no of a supernode; hash, signature and signer are verified on the way in. */
async function rejectionOf(request: CreditPackPurchaseRequest, node = seller, by = buyer): Promise<Rejection> {
  const answer = await by.send(node, exchanges.purchaseRequest, request);
  expect(answer).toBeInstanceOf(Rejection);
  return answer as Rejection;
}
const hashOf = (request: CreditPackPurchaseRequest): string => request.sha3_256_hash_of_credit_pack_purchase_request_fields;
const bent = (request: CreditPackPurchaseRequest, changes: Partial<CreditPackPurchaseRequest>): CreditPackPurchaseRequest =>
  Object.assign(new CreditPackPurchaseRequest(), request, changes);

describe('a well-formed request that cannot be served gets a signed rejection', () => {
  const cases: { what: string; changes: () => Partial<CreditPackPurchaseRequest>; reason: string }[] = [
    { what: 'too few credits', changes: () => credits('9'), reason: 'greater than or equal to 10 credits' },
    { what: 'no credits', changes: () => credits('0'), reason: 'greater than or equal to 10 credits' },
    { what: 'negative credits', changes: () => credits('-1500'), reason: 'greater than or equal to 10 credits' },
    { what: 'too many credits', changes: () => credits('1000001'), reason: 'exceeds the maximum of 1000000 credits' },
    { what: 'far too many credits', changes: () => credits('1e300'), reason: 'exceeds the maximum of 1000000 credits' },
    { what: 'a part of a credit', changes: () => credits('1500.5'), reason: 'must be a whole number, not 1500.5' },
    {
      what: 'a height of long ago',
      changes: () => ({ request_pastel_block_height: network.height - 2 }),
      reason: 'request_pastel_block_height',
    },
    {
      what: 'a height to come',
      changes: () => ({ request_pastel_block_height: network.height + 2 }),
      reason: 'request_pastel_block_height',
    },
    {
      what: 'a time of long ago',
      changes: () => ({ request_timestamp_utc_iso_string: new Date(network.clock.now().getTime() - 201_000).toISOString() }),
      reason: 'request_timestamp_utc_iso_string',
    },
    {
      what: 'a time to come',
      changes: () => ({ request_timestamp_utc_iso_string: new Date(network.clock.now().getTime() + 201_000).toISOString() }),
      reason: 'request_timestamp_utc_iso_string',
    },
    {
      what: 'the burn address as tracking address',
      changes: () => ({ credit_usage_tracking_psl_address: networks.devnet.burnAddress }),
      reason: 'no address of the devnet',
    },
    {
      what: 'nobody who may spend the pack',
      changes: () => ({ list_of_authorized_pastelids_allowed_to_use_credit_pack: '[]' }),
      reason: 'must be a JSON list of PastelIDs',
    },
  ];

  test.each(cases)('$what', async ({ changes, reason }) => {
    const request = await buyer.request(changes());
    const rejection = await rejectionOf(request);
    expect(rejection.rejection_reason_string).toContain(reason);
    expect(rejection.sha3_256_hash_of_credit_pack_purchase_request_fields).toBe(hashOf(request));
    expect(sha3(decodeBase64Text(rejection.credit_pack_purchase_request_fields_json_b64)!)).toBe(hashOf(request));
    expect(await purchaseAt(seller, hashOf(request))).toMatchObject({ state: 'rejected', totalPatoshis: 0 });
    network.mine(2);
    expect(writeJson(await rejectionOf(request))).toBe(writeJson(rejection));
  });

  test('whole credits that are written as a float are none of these', async () => {
    const quote = await buyer.quote(seller, credits('1500.0'));
    expect(decodeBase64Text(quote.credit_pack_purchase_request_fields_json_b64)).toContain('1500.0');
  });

  afterAll(() => expectNothingSold(network, before));
});

describe('a request whose seal is broken', () => {
  test('gets a signed rejection for a wrong hash', async () => {
    const wrongHash = 'ab'.repeat(32);
    const rejection = await rejectionOf(
      bent(await buyer.request(), { sha3_256_hash_of_credit_pack_purchase_request_fields: wrongHash }),
    );
    expect(rejection.rejection_reason_string).toContain(
      'SHA3-256 hash in field sha3_256_hash_of_credit_pack_purchase_request_fields',
    );
    // What it claims to be is not taken: the true request of that hash would still be served.
    expect(await purchaseAt(seller, wrongHash)).toBeUndefined();
  });

  test('gets a signed rejection where a field was changed on the way, and the true one is served', async () => {
    const request = await buyer.request(credits('20'));
    const rejection = await rejectionOf(bent(request, credits('2000')));
    expect(rejection.rejection_reason_string).toContain('does not match the computed hash');
    expect(await buyer.send(seller, exchanges.purchaseRequest, request)).not.toBeInstanceOf(Rejection);
  });

  test('gets a signed rejection for the signature of another', async () => {
    const other = await Buyer.of(network);
    const request = await buyer.request();
    const requesting_end_user_pastelid_signature_on_request_hash = await other.signing.sign(hashOf(request));
    const rejection = await rejectionOf(bent(request, { requesting_end_user_pastelid_signature_on_request_hash }));
    expect(rejection.rejection_reason_string).toMatch(/signature/i);
    expect(await purchaseAt(seller, hashOf(request))).toBeUndefined();
  });

  test('is refused at the door where it is not even a request', async () => {
    const shapeless = bent(await buyer.request(), { requesting_end_user_pastelid_signature_on_request_hash: 'short' });
    const refusal = await refusalOf(buyer.send(seller, exchanges.purchaseRequest, shapeless));
    expect(refusal.status).toBe(422);
    expect(refusal.detail).toContain('requesting_end_user_pastelid_signature_on_request_hash');
  });

  afterAll(() => expectNothingSold(network, before));
});

test('a tracking address belongs to one pack, and before that to one offer, at every supernode', async () => {
  const [first, second] = [await Buyer.of(network), await Buyer.of(network)];
  const offer = await first.offer(seller);
  const taken = { credit_usage_tracking_psl_address: offer.credit_usage_tracking_psl_address };
  const isTakenAt = async (node: RunningSupernode): Promise<void> => {
    const { rejection_reason_string: reason } = await rejectionOf(await second.request(taken), node, second);
    expect(reason).toContain(`address of ${taken.credit_usage_tracking_psl_address} has already been used`);
    expect(reason).toContain(offer.sha3_256_hash_of_credit_pack_purchase_request_fields);
  };
  await network.sweep();
  for (const node of network.supernodes) await isTakenAt(node);

  const sold = moneyOf(network);
  const completion = await first.confirm(seller, offer, await first.burn(offer));
  const registrationTxid = completion.pastel_api_credit_pack_ticket_registration_txid;
  await expectSold(network, sold, [{ registrationTxid, payer: seller.user }]);
  // The offers are past; the pack stays.
  network.mine(60);
  for (const node of network.supernodes) await isTakenAt(node);
});
