import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FailureCode } from '../providers/index.js';
import { admission, afterFailure, CLOSED, probing, probeAbandoned, type Circuit } from './circuit-breaker.rules.js';

const unavailable = { code: 'unavailable' } as const;
const afterMany = (count: number, circuit: Circuit = CLOSED, nowMs = 0): Circuit => {
  for (let i = 0; i < count; i++) circuit = afterFailure(circuit, unavailable, nowMs);
  return circuit;
};

describe('the circuit breaker', () => {
  test('opens after five failures in a row and lets one request try after 15 seconds', () => {
    expect(admission(afterMany(4), 0)).toBe('open');
    const open = afterMany(5);
    expect([admission(open, 14_999), admission(open, 15_000)]).toEqual(['closed', 'probe']);
    expect(admission(probing(open), 15_000)).toBe('closed');
    expect(admission(probeAbandoned(probing(open)), 15_000)).toBe('probe');
  });

  test('a failed probe closes the door for twice as long, ten minutes at most', () => {
    let circuit = afterMany(5);
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      const nowMs = circuit.openUntilMs;
      circuit = afterFailure(probing(circuit), unavailable, nowMs);
      pauses.push(circuit.openUntilMs - nowMs);
    }
    expect(pauses).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000, 600_000]);
  });

  test('one refused request shows that the service is alive', () => {
    expect(afterFailure(afterMany(4), { code: 'refused' }, 0)).toEqual(CLOSED);
    expect(afterFailure(probing(afterMany(5)), { code: 'answer_too_large' }, 15_000)).toEqual(CLOSED);
  });

  test('Retry-After is kept, within ten minutes; a key that is not taken closes at once', () => {
    expect(admission(afterFailure(CLOSED, { code: 'rate_limited', retryAfterMs: 20_000 }, 0), 19_999)).toBe('closed');
    expect(afterFailure(CLOSED, { code: 'rate_limited', retryAfterMs: 1e12 }, 0).openUntilMs).toBe(600_000);
    expect(afterFailure(CLOSED, { code: 'unavailable', retryAfterMs: 20_000 }, 0).openUntilMs).toBe(20_000);
    expect(afterFailure(CLOSED, { code: 'misconfigured' }, 0).openUntilMs).toBe(300_000);
  });

  test('whatever happens, the door opens again within ten minutes', () => {
    const codes = fc.constantFrom<FailureCode>(
      'refused',
      'misconfigured',
      'unavailable',
      'rate_limited',
      'malformed_answer',
      'deadline_exceeded',
      'answer_too_large',
    );
    const event = fc.record({ code: codes, retryAfterMs: fc.option(fc.nat(), { nil: undefined }), after: fc.nat(100_000) });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        let [circuit, nowMs] = [CLOSED, 0];
        for (const { after, ...failure } of events) {
          nowMs += after;
          circuit = afterFailure(admission(circuit, nowMs) === 'probe' ? probing(circuit) : circuit, failure, nowMs);
          expect(admission(circuit, nowMs + 600_000)).not.toBe('closed');
        }
      }),
    );
  });
});
