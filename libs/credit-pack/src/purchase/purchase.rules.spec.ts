import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Transaction } from '#chain';
import { patoshisFromPsl, pslFloat } from '#protocol';
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
