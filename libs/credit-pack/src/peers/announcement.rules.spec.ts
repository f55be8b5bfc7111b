import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeBase64,
  PythonNumber,
  type CreditPackPurchaseRequestConfirmation,
  type CreditPackPurchaseRequestConfirmationResponse,
  type CreditPackPurchaseRequestResponse,
} from '#protocol';
import { FakeChain, registerSupernodes, saleOf, user, type Sale } from '../ledger/pack-ledger.spec-suite.js';
import {
  announcedTerms,
  completionFaults,
  confirmationFaults,
  copiedRequest,
  copiedRequestFaults,
} from './announcement.rules.js';

let sale: Sale;
let b64: string;
beforeAll(async () => {
  const chain = new FakeChain();
  registerSupernodes(chain);
  sale = await saleOf(chain, { total: 30_000.12345 });
  b64 = sale.response.credit_pack_purchase_request_fields_json_b64;
});
const changed = <M extends object>(message: M, changes: Partial<M>): M => Object.assign(Object.create(message) as M, changes);

describe('a copied request', () => {
  test('is read from its canonical text, and belongs to its address', () => {
    const request = copiedRequest(b64);
    expect(request).toMatchObject({ requesting_end_user_pastelid: user.pastelId });
    expect(copiedRequestFaults(request, sale.trackingAddress)).toEqual([]);
    expect(copiedRequestFaults(request, 'another')).toEqual([expect.stringContaining('credit_usage_tracking_psl_address')]);
  });

  test('anything else is none, and no text throws', () => {
    const texts = fc.oneof(fc.string(), fc.json().map(encodeBase64), fc.string().map(encodeBase64));
    fc.assert(
      fc.property(texts, (text) => {
        expect(copiedRequest(text)).toBeUndefined();
        expect(copiedRequestFaults(copiedRequest(text), sale.trackingAddress)).toHaveLength(1);
      }),
    );
    const spaced = Buffer.from(b64, 'base64').toString().replace(': ', ':  ');
    expect(copiedRequest(encodeBase64(spaced))).toBeUndefined();
  });
});

describe('an announced offer', () => {
  const terms = (changes: Partial<CreditPackPurchaseRequestResponse> = {}) => announcedTerms(changed(sale.response, changes));
  const psl = (total: number) => ({ proposed_total_cost_of_credit_pack_in_psl: PythonNumber.float(total) });

  test('tells its buyer and its total, to the patoshi', () => {
    expect(terms()).toEqual({ pastelId: user.pastelId, totalPatoshis: 3_000_012_345 });
  });

  test('without the request that it names, or a total that can be burned, it tells nothing', () => {
    expect(terms({ sha3_256_hash_of_credit_pack_purchase_request_fields: 'a'.repeat(64) })).toBeUndefined();
    expect(terms({ credit_pack_purchase_request_fields_json_b64: encodeBase64('{}') })).toBeUndefined();
    for (const total of [-1, 0, 0.000001, 1e300]) expect(terms(psl(total))).toBeUndefined();
  });

  test('whatever total it names, it is a whole number of patoshis or nothing', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (total) => {
        const told = terms(psl(total))?.totalPatoshis;
        if (told !== undefined) expect([Number.isSafeInteger(told), told > 0]).toEqual([true, true]);
      }),
    );
  });
});

describe('a confirmation', () => {
  const faults = (changes: Partial<CreditPackPurchaseRequestConfirmation>, buyer = user.pastelId) =>
    confirmationFaults(changed(sale.confirmation, changes), sale.response, buyer);

  test('belongs to its offer', () => expect(faults({})).toEqual([]));

  test.each([
    'requesting_end_user_pastelid',
    'sha3_256_hash_of_credit_pack_purchase_request_fields',
    'sha3_256_hash_of_credit_pack_purchase_request_response_fields',
    'credit_pack_purchase_request_fields_json_b64',
  ] as const)('not where %s is another', (field) => {
    expect(faults({ [field]: 'another' })).toEqual([`${field} is not that of the offer`]);
  });

  test('nor to the offer of another buyer', () => {
    expect(faults({}, 'another')).toEqual(['requesting_end_user_pastelid is not that of the offer']);
  });
});

describe('a completion', () => {
  const completion = (changes: Partial<CreditPackPurchaseRequestConfirmationResponse> = {}) =>
    ({
      responding_supernode_pastelid: sale.response.responding_supernode_pastelid,
      credit_pack_confirmation_outcome_string: 'success',
      pastel_api_credit_pack_ticket_registration_txid: 'ab'.repeat(32),
      ...changes,
    }) as CreditPackPurchaseRequestConfirmationResponse;
  const faults = (changes = {}) => completionFaults(completion(changes), sale.response);

  test('comes from the seller, with an outcome that is known', () => {
    expect(faults()).toEqual([]);
    expect(faults({ responding_supernode_pastelid: 'another' })).toHaveLength(1);
    for (const outcome of ['failed', 'failure']) expect(faults({ credit_pack_confirmation_outcome_string: outcome })).toEqual([]);
    for (const outcome of ['', 'SUCCESS', 'succeeded'])
      expect(faults({ credit_pack_confirmation_outcome_string: outcome })).toEqual(['Unknown outcome']);
  });

  test('a success names its ticket; what came to nothing need not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f]{63,65}$/)), (txid) => {
        const named = { pastel_api_credit_pack_ticket_registration_txid: txid };
        expect(faults(named).length === 0).toBe(/^[0-9a-f]{64}$/.test(txid) && !txid.includes('\n'));
        expect(faults({ ...named, credit_pack_confirmation_outcome_string: 'failed' })).toEqual([]);
      }),
    );
  });
});
