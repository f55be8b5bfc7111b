import { describe, expect, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import type { Entropy } from '#protocol';
import type { Providers } from '../execution/providers.service.js';
import { ProviderFailure, type FailureCode, type Provider } from '../providers/index.js';
import { afterCheck, afterReport, isBelievedWell, isStale } from './provider-health.rules.js';
import { ProviderHealth } from './provider-health.service.js';

Logger.overrideLogger(false);
const exactly = (ms: number): number => ms;
const MINUTE = 60_000;
const away = { code: 'unavailable', message: 'away' } as const;
const unpaid = { code: 'misconfigured', message: 'no funds' } as const;
const well = (nowMs: number) => afterCheck(undefined, undefined, nowMs, exactly);

describe('when a provider is asked again', () => {
  test('well: in ten minutes; unwell: soon, then less often, ten minutes at most', () => {
    expect(well(0).dueAtMs).toBe(10 * MINUTE);
    let health = well(0);
    const waits = Array.from({ length: 7 }, () => {
      const nowMs = health.dueAtMs;
      health = afterCheck(health, away, nowMs, exactly);
      return (health.dueAtMs - nowMs) / 1000;
    });
    expect(waits).toEqual([30, 60, 120, 240, 480, 600, 600]);
    expect([health.isWell, health.reason, health.sinceMs]).toEqual([false, 'away', 10 * MINUTE]);
    expect(afterCheck(health, undefined, health.dueAtMs, exactly)).toMatchObject({
      isWell: true,
      failures: 0,
      reason: undefined,
    });
  });
  test('who asks to be left alone is, within limits', () => {
    const wait = (retryAfterMs: number): number => afterCheck(undefined, { ...away, retryAfterMs }, 0, exactly).dueAtMs;
    expect([wait(45_000), wait(86_400_000)]).toEqual([45_000, 600_000]);
  });
  test('what is old counts for nothing', () => {
    expect(isBelievedWell(well(0), 29 * MINUTE)).toBe(true);
    expect(isBelievedWell(well(0), 30 * MINUTE)).toBe(false);
    expect([isStale(undefined, 0), isStale(well(0), 30 * MINUTE)]).toEqual([true, true]);
  });
});

describe('what a request met with', () => {
  test('a bad key or an empty account makes it unwell at once; for longer each time, as the free check cannot tell', () => {
    let health = well(0);
    const waits = Array.from({ length: 6 }, () => {
      const nowMs = health.dueAtMs;
      health = afterReport(health, unpaid, nowMs, exactly);
      expect([health.isWell, health.reason]).toEqual([false, 'no funds']);
      // Of another request that ran at the same time.
      health = afterReport(health, unpaid, nowMs, exactly);
      const waitMs = health.dueAtMs - nowMs;
      health = afterCheck(health, undefined, health.dueAtMs, exactly);
      return waitMs / MINUTE;
    });
    expect(waits).toEqual([5, 10, 20, 40, 60, 60]);
  });
  test('is forgotten after two hours in good health', () => {
    let health = afterCheck(afterReport(well(0), unpaid, 0, exactly), undefined, 5 * MINUTE, exactly);
    health = afterCheck(health, undefined, 60 * MINUTE, exactly);
    expect(health.reports).toBe(1);
    expect(afterCheck(health, undefined, 125 * MINUTE, exactly).reports).toBe(0);
  });
  test('one that is away is looked at soon; anything else changes nothing', () => {
    expect(afterReport(well(0), away, 1000, exactly)).toEqual({ ...well(0), dueAtMs: 31_000 });
    const others: FailureCode[] = ['refused', 'rate_limited', 'malformed_answer', 'deadline_exceeded', 'answer_too_large'];
    for (const code of others) expect(afterReport(well(0), { code, message: '' }, 1000, exactly)).toEqual(well(0));
  });
});

test('whatever happens, the next check is neither now nor hours away', () => {
  const event = fc.record({
    isReport: fc.boolean(),
    code: fc.constantFrom<FailureCode | undefined>(undefined, 'unavailable', 'misconfigured', 'rate_limited'),
    retryAfterMs: fc.nat(1e9),
    laterMs: fc.nat(1e8),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 100 }), (events) => {
      let [health, nowMs] = [well(0), 0];
      for (const { isReport, code, retryAfterMs, laterMs } of events) {
        nowMs += laterMs;
        const trouble = code && { code, message: 'm', retryAfterMs };
        const before = health;
        if (isReport && trouble) health = afterReport(health, trouble, nowMs, exactly);
        else health = afterCheck(health, trouble, nowMs, exactly);
        if (health === before) continue;
        expect(health.dueAtMs).toBeLessThanOrEqual(nowMs + 60 * MINUTE);
        if (!isReport) expect(health.dueAtMs).toBeGreaterThanOrEqual(nowMs + 30_000);
        expect(health.isWell).toBe(health.reason === undefined);
      }
    }),
  );
});

describe('the watch over providers', () => {
  class Chance {
    next = 0;
    below(limit: number): number {
      return Math.floor(this.next * limit);
    }
  }
  function watch() {
    const clock = new ManualClock();
    const chance = new Chance();
    const calls = { good: 0, bad: 0 };
    let trouble: Error | undefined = new ProviderFailure('misconfigured', 'The key is not taken', false);
    let gate: Promise<void> | undefined;
    const check = async (name: 'good' | 'bad'): Promise<void> => {
      calls[name]++;
      await gate;
      if (name === 'bad' && trouble) throw trouble;
    };
    const all = (['good', 'bad'] as const).map((name) => ({ name, title: name, checkKey: () => check(name) }));
    const fit = (failure: ProviderFailure) => failure;
    const providers = { all: all as unknown as Provider[], surroundingsOf: () => ({}), fit } as unknown as Providers;
    const health = new ProviderHealth(providers, clock, chance as Partial<Entropy> as Entropy);
    return {
      health,
      clock,
      chance,
      calls,
      fail: (error: Error | undefined) => void (trouble = error),
      hold: (until: Promise<void>) => void (gate = until),
    };
  }

  test('asks those that are due, and each once at a time', async () => {
    const { health, clock, calls, hold } = watch();
    let release = (): void => undefined;
    hold(new Promise((resolve) => (release = resolve)));
    const rounds = [health.sweep(clock.now()), health.sweep(clock.now()), health.ready()];
    release();
    await Promise.all(rounds);
    expect(calls).toEqual({ good: 1, bad: 1 });
    expect([health.isWell('good'), health.isWell('bad'), health.isWell('unknown')]).toEqual([true, false, false]);
    clock.advance(40_000);
    await health.sweep(clock.now());
    expect(calls).toEqual({ good: 1, bad: 2 });
  });

  test('a provider whose key was mended comes back, and says since when', async () => {
    const { health, clock, fail } = watch();
    await health.ready();
    fail(undefined);
    clock.advance(40_000);
    await health.sweep(clock.now());
    expect(health.states()[1]).toMatchObject({ name: 'bad', isWell: true, sinceMs: clock.now().getTime() });
  });

  test('a failed request takes it out of the menu at once', async () => {
    const { health } = watch();
    await health.ready();
    health.reportFailure('good', new ProviderFailure('misconfigured', 'No funds', false));
    health.reportFailure('unknown', new ProviderFailure('misconfigured', 'No funds', false));
    expect(health.isWell('good')).toBe(false);
    expect(health.states().map(({ reason }) => reason)).toEqual(['No funds', 'The key is not taken']);
  });

  test('two nodes do not ask in step', async () => {
    const dueOf = async (next: number): Promise<number> => {
      const { health, chance, clock } = watch();
      chance.next = next;
      await health.ready();
      return health.of('good')!.dueAtMs - clock.now().getTime();
    };
    expect([await dueOf(0), await dueOf(1 - 1e-9)]).toEqual([9 * MINUTE, 11 * MINUTE]);
  });

  test('a fault of ours keeps nobody from being asked, and is not shown', async () => {
    const { health, fail } = watch();
    fail(new TypeError('sk-secret is not a function'));
    await health.ready();
    expect(health.states()[1]!.reason).toBe('The check failed in a way that it should not');
  });
});
