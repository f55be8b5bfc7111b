import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { callerOf, RateLimiter } from './rate-limit.js';

describe('RateLimiter', () => {
  test('over any stretch of time nobody gets more than a full bucket and what flows in', () => {
    const steps = fc.array(fc.record({ waitMs: fc.nat(20_000), calls: fc.nat(30) }), { maxLength: 30 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 100 }), (visits, perMinute) => {
        const clock = new ManualClock();
        const limiter = new RateLimiter(clock, perMinute);
        const start = clock.now().getTime();
        let passed = 0;
        for (const { waitMs, calls } of visits) {
          clock.advance(waitMs);
          for (let i = 0; i < calls; i++) if (limiter.secondsToWait('a') === 0) passed++;
          const flowedIn = ((clock.now().getTime() - start) * perMinute) / 60_000;
          if (passed > perMinute + flowedIn + 1e-6) return false;
        }
        return true;
      }),
    );
  });

  test('who waits as long as told may call again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (perMinute) => {
        const clock = new ManualClock();
        const limiter = new RateLimiter(clock, perMinute);
        while (limiter.secondsToWait('a') === 0);
        clock.advance(limiter.secondsToWait('a') * 1000);
        return limiter.secondsToWait('a') === 0;
      }),
      { numRuns: 30 },
    );
  });

  test('callers are remembered up to a limit, the quietest forgotten first', () => {
    const limiter = new RateLimiter(new ManualClock(), 1, 3);
    for (const caller of ['a', 'b', 'c', 'a', 'd']) limiter.secondsToWait(caller);
    expect(limiter.size).toBe(3);
    expect(['a', 'c', 'd'].map((caller) => limiter.secondsToWait(caller) > 0)).toEqual([true, true, true]);
    expect(limiter.secondsToWait('b')).toBe(0);
  });

  test('an IPv6 caller is known by its /64', () => {
    expect(['2001:db8::1', '2001:db8:0:0:ffff::', '2001:0db8:0::2%eth0'].map(callerOf)).toEqual(Array(3).fill('2001:db8:0:0'));
    expect([callerOf('8.8.8.8'), callerOf('::1'), callerOf('fe80::1:2:3:4')]).toEqual(['8.8.8.8', '0:0:0:0', 'fe80:0:0:0']);
  });
});
