import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Transaction } from '#chain';
import { patoshisFromPsl, pslFloat } from '#protocol';
import {
  candidatesOf,
  countedVotes,
  signersOf,
  terminationReasonOf,
  TOO_FEW_AGREED,
  TOO_FEW_ANSWERED,
  voteFaults,
  type Vote,
} from '../peers/agreement.rules.js';
import { basePatoshisOf, surplusWidthOf } from './offer.rules.js';
import { judgePayment, type Offer, type PaymentCircumstances } from './payment.rules.js';
import {
  BEGINNINGS,
  HOLDS_ADDRESS,
  IN_PROGRESS,
  isFinal,
  maySucceed,
  OPEN,
  PURCHASE_STATES,
  statusOf,
  type PurchaseState,
} from './purchase-state.rules.js';

describe('states', () => {
  test('every state can be reached, and none leads nowhere but the final ones', () => {
    const reached = new Set<PurchaseState>(BEGINNINGS);
    for (const from of reached) for (const to of PURCHASE_STATES) if (maySucceed(from, to)) reached.add(to);
    expect([...reached].sort()).toEqual([...PURCHASE_STATES].sort());
    const canEnd = (state: PurchaseState, seen: readonly PurchaseState[] = []): boolean =>
      isFinal(state) || PURCHASE_STATES.some((to) => maySucceed(state, to) && !seen.includes(to) && canEnd(to, [...seen, state]));
    for (const state of PURCHASE_STATES) expect([state, canEnd(state)]).toEqual([state, true]);
  });

  test('nothing is ever undone: money goes forward only, and a completed purchase stays', () => {
    expect(isFinal('completed')).toBe(true);
    for (const state of PURCHASE_STATES) {
      expect(maySucceed(state, 'quoted')).toBe(false);
      expect(maySucceed(state, 'rejected')).toBe(false);
    }
    for (const paid of ['burn-confirmed', 'registering'] as const) {
      expect(
        PURCHASE_STATES.filter((to) => maySucceed(paid, to)).every((to) => ['registering', 'completed', 'failed'].includes(to)),
      ).toBe(true);
    }
    expect(PURCHASE_STATES.filter((from) => maySucceed(from, 'completed'))).toEqual(['registering']);
    expect(PURCHASE_STATES.filter((from) => maySucceed(from, 'burn-confirmed'))).toEqual(['claimed']);
  });

  test('whoever holds the address is open, and work in progress holds both', () => {
    for (const state of HOLDS_ADDRESS) expect(OPEN).toContain(state);
    for (const state of IN_PROGRESS) expect(HOLDS_ADDRESS).toContain(state);
    for (const state of PURCHASE_STATES) if (isFinal(state)) expect(OPEN).not.toContain(state);
  });

  test('the status follows from the messages', () => {
    expect(statusOf({ response: false, confirmation: false })).toBe('pending');
    expect(statusOf({ response: true, confirmation: false })).toBe('approved');
    expect(statusOf({ response: true, confirmation: true })).toBe('confirmed');
    expect(statusOf({ response: true, confirmation: true, outcome: 'success' })).toBe('completed');
    for (const outcome of ['failed', 'failure', 'x'])
      expect(statusOf({ response: true, confirmation: true, outcome })).toBe('failed');
  });
});

describe('totals', () => {
  test('the surplus is at most a thousandth, and never easy to guess', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (base) => {
        const width = surplusWidthOf(base);
        expect(width).toBeGreaterThanOrEqual(1000);
        expect(width === 1000 || width * 1000 <= base).toBe(true);
      }),
    );
  });

  test('a total is exact, and a client that rounds to five decimals burns it to the patoshi', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 1_000_000 }),
        fc.integer({ min: 1, max: 20_000 }),
        fc.nat(2 ** 30),
        (credits, tenths, surplus) => {
          const base = basePatoshisOf(credits, tenths / 10);
          expect(base).toBe(credits * tenths * 10_000);
          const total = base! + surplus;
          const shown = pslFloat(total);
          expect(patoshisFromPsl(shown)).toBe(total);
          expect(Math.round(shown.value * 1e5)).toBe(total);
          expect(Math.round((Math.round(shown.value * 1e5) / 1e5) * 1e5)).toBe(total);
        },
      ),
    );
  });

  test('more than there will ever be has no total', () => {
    expect(basePatoshisOf(1_000_000_000, 100_000)).toBeUndefined();
    expect(basePatoshisOf(10, 0)).toBeUndefined();
  });
});

describe('votes', () => {
  const shares = { quorum: 0.51, majority: 0.51, majorityOfAsked: 0.65 };
  const tally = (asked: number, answered: number, agreed: number) => terminationReasonOf({ asked, answered, agreed }, shares);

  test('quorum and majority are strict, the share of all inclusive', () => {
    expect(tally(100, 51, 51)).toBe(TOO_FEW_ANSWERED);
    expect(tally(100, 100, 51)).toBe(TOO_FEW_AGREED);
    expect(tally(100, 100, 64)).toBe(TOO_FEW_AGREED);
    expect(tally(100, 64, 64)).toBe(TOO_FEW_ANSWERED);
    expect(tally(100, 65, 65)).toBeUndefined();
    expect(tally(4, 3, 3)).toBeUndefined();
    expect(tally(4, 4, 2)).toBe(TOO_FEW_AGREED);
    expect(tally(0, 0, 0)).toBe(TOO_FEW_ANSWERED);
  });

  test('what is not terminated passes every later check', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), fc.nat(200), (a, b, c) => {
        const [agreed, answered, asked] = [a, b, c].sort((x, y) => x - y) as [number, number, number];
        if (tally(asked, answered, agreed)) return;
        expect(answered / asked).toBeGreaterThan(0.51);
        expect(agreed / answered).toBeGreaterThan(0.51);
        expect(agreed / asked).toBeGreaterThanOrEqual(0.65);
      }),
    );
  });

  const peers = (count: number) => Array.from({ length: count }, (_, i) => ({ pastelId: `id${i}`, ipAddress: `10.0.0.${i}` }));
  const root = 'ab'.repeat(32);
  test('with few peers nobody is left out; with enough the blacklist counts; oneself is never asked', () => {
    const dead = new Set(['10.0.0.1', '10.0.0.2']);
    const few = candidatesOf(peers(10), 'id0', dead, root, 10);
    expect(few.asked).toHaveLength(9);
    expect(few.blacklisted).toEqual([]);
    const enough = candidatesOf(peers(11), 'id0', dead, root, 10);
    expect(enough.asked).toHaveLength(8);
    expect(enough.blacklisted).toEqual(['id1', 'id2']);
    for (const { asked, blacklisted } of [few, enough]) expect([...asked, ...blacklisted]).not.toContain('id0');
    expect(new Set(candidatesOf([...peers(11), ...peers(11)], 'id0', dead, root, 10).asked).size).toBe(8);
  });

  test('at most ten sign, always the same for the same block', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(peers(30).map((p) => p.pastelId)), (agreeing) => {
        const signers = signersOf(agreeing, root);
        expect(signers).toHaveLength(Math.min(10, agreeing.length));
        expect(new Set(signersOf([...agreeing].reverse(), root))).toEqual(new Set(signers));
      }),
    );
  });

  const question = {
    sha3_256_hash_of_price_agreement_request_fields: 'h',
    credit_pack_purchase_request_fields_json_b64: 'b',
    credit_usage_tracking_psl_address: 'a',
    proposed_psl_price_per_credit: pslFloat(100),
  };
  const vote = { ...question, responding_supernode_pastelid: 'p' };
  test('a vote on anything but the question is none', () => {
    expect(voteFaults(vote as Vote, question as never, 'p')).toEqual([]);
    expect(voteFaults(vote as Vote, question as never, 'q')).toHaveLength(1);
    for (const field of Object.keys(question)) {
      const changed = { ...vote, [field]: field.startsWith('proposed') ? pslFloat(200) : 'x' };
      expect([field, voteFaults(changed as Vote, question as never, 'p').length]).toEqual([field, 1]);
    }
  });
  test('each peer has one vote', () => {
    const votes = [vote, vote, { ...vote, responding_supernode_pastelid: 'stranger' }] as Vote[];
    expect(countedVotes(votes, ['p', 'q'])).toHaveLength(1);
  });
});

describe('burns', () => {
  const [BURN, MINE, OTHER] = ['burn', 'mine', 'other'];
  const offer: Offer = { totalPatoshis: 1000, offerHeight: 100, lastBurnHeight: 150, trackingAddress: MINE };
  const policy = { burnAddress: BURN, confirmations: 1, overpaidConfirmations: 3 };
  const burn = (
    patoshis: number,
    height: number | undefined,
    confirmations: number,
    from = OTHER,
    changeTo = OTHER,
  ): Transaction => ({
    txid: 'ab'.repeat(32),
    inputs: [{ txid: 'cd'.repeat(32), vout: 0, address: from }],
    outputs: [
      { index: 0, patoshis, address: BURN },
      { index: 1, patoshis: 5, address: changeTo },
    ],
    ...(height !== undefined && { mined: { height, blockHash: 'ef'.repeat(32) } }),
    confirmations,
  });
  const judge = (transaction: Transaction | undefined, known: Partial<PaymentCircumstances> = {}) =>
    judgePayment(transaction, offer, policy, { tip: 110, namedByTicket: false, isTotalOfAnotherOffer: false, ...known }).verdict;

  test('the exact total counts from any address, in any block of the window', () => {
    for (const height of [100, 101, 150]) expect(judge(burn(1000, height, 1))).toBe('good');
    expect(judge(burn(1000, 150, 9), { tip: 500 })).toBe('good');
    expect(judge(burn(1000, 99, 9))).toBe('refused');
    expect(judge(burn(1000, 151, 9))).toBe('late');
    expect(judge(burn(999, 120, 9))).toBe('refused');
  });

  test('what is not mined waits until the window is over', () => {
    expect(judge(undefined)).toBe('unseen');
    expect(judge(undefined, { tip: 150 })).toBe('unseen');
    expect(judge(undefined, { tip: 151 })).toBe('late');
    expect(judge(burn(1000, undefined, 0))).toBe('waiting');
    expect(judge(burn(1000, undefined, 0), { tip: 151 })).toBe('late');
  });

  test('more than the total counts when it is tied to the tracking address', () => {
    expect(judge(burn(1001, 101, 1, MINE))).toBe('good');
    expect(judge(burn(1001, 101, 1, OTHER, MINE))).toBe('good');
    expect(judge(burn(1001, 101, 1, MINE), { isTotalOfAnotherOffer: true })).toBe('good');
  });

  test('more than the total, tied to nothing, waits for its true owner', () => {
    expect(judge(burn(1001, 101, 2))).toBe('waiting');
    expect(judge(burn(1001, 101, 3))).toBe('good');
    expect(judge(burn(1001, 101, 3), { isTotalOfAnotherOffer: true })).toBe('refused');
    expect(judge(burn(1001, 101, 3), { namedByTicket: true })).toBe('refused');
    // In the block of the offer's own height it may be older than the offer.
    expect(judge(burn(1001, 100, 9))).toBe('refused');
  });

  test('a ticket of somebody else that is not decided yet makes the purchase wait, not fail', () => {
    expect(judge(burn(1000, 120, 9), { mayBeNamedByTicket: true })).toBe('waiting');
    expect(judge(burn(1000, 120, 9), { mayBeNamedByTicket: true, namedByTicket: true })).toBe('refused');
    expect(judge(burn(1000, undefined, 0), { mayBeNamedByTicket: true, tip: 151 })).toBe('late');
  });

  test('no burn ever pays an offer twice, less, or outside of its window', () => {
    const height = fc.option(fc.integer({ min: 50, max: 200 }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.nat(2000),
        height,
        fc.nat(10),
        fc.boolean(),
        fc.boolean(),
        (patoshis, mined, confirmations, named, foreign) => {
          const verdict = judge(burn(patoshis, mined, confirmations), { namedByTicket: named, isTotalOfAnotherOffer: foreign });
          if (verdict !== 'good') return;
          expect(patoshis).toBeGreaterThanOrEqual(1000);
          expect(mined).toBeGreaterThanOrEqual(100);
          expect(mined).toBeLessThanOrEqual(150);
          expect(confirmations).toBeGreaterThanOrEqual(1);
          expect(named).toBe(false);
        },
      ),
    );
  });
});
