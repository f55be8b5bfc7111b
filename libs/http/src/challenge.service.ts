import { Injectable } from '@nestjs/common';
import { HttpSettings } from '#config';
import { Checking, Clock, Entropy, Refusal } from '#protocol';
import { ChallengeRepository } from './challenge.repository.js';

/** What a caller signs: `challenge`, as UTF-8 text. Both are UUIDs, so that nobody can be made to sign anything else. */
export interface Challenge {
  readonly challenge: string;
  readonly challenge_id: string;
}
/** What a caller sends back. The E1 dialect leaves `challenge` out. */
export interface ChallengeAnswer {
  readonly challengeId: string;
  readonly challenge?: string;
  readonly signature: string;
}

const WRONG_SIGNATURES_MAX = 5;
const SWEPT_AT_ONCE_MAX = 1000;

/**
 * Proof that a caller holds a PastelID (messaging spec 6.1):
 * 1. `issue` stores a challenge for the PastelID; it lives `challengeSeconds`. When too many are open, the oldest go: a stranger
 *    who asks for thousands in somebody's name cannot keep the owner from getting a fresh one.
 * 2. `redeem` checks the answer against the stored text and owner; a wrong signature leaves it usable a few times.
 * 3. With a good signature one conditional DELETE decides: each challenge opens one call, also when two arrive at once.
 * 4. `sweep` removes what nobody came back for.
 */
@Injectable()
export class ChallengeService {
  constructor(
    private readonly challenges: ChallengeRepository,
    private readonly settings: HttpSettings,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
    private readonly checking: Checking,
  ) {}

  async issue(pastelId: string): Promise<Challenge> {
    const issued = { challenge: this.entropy.uuid(), challenge_id: this.entropy.uuid() };
    const expires = this.clock.now().getTime() + this.settings.challengeSeconds * 1000;
    await this.challenges.add(
      { ...issued, pastelid: pastelId, expires_at_ms: expires, attempts_left: WRONG_SIGNATURES_MAX },
      { inAll: this.settings.challengesOpenMax, perPastelId: this.settings.challengesOpenPerPastelIdMax },
    );
    return issued;
  }

  /**
   * The PastelID that has proven itself; undefined when the answer is good for nothing, or not for `expectedPastelId`.
   * @throws Refusal where the challenge is over, with both times: a clock may be wrong
   */
  async redeem(answer: ChallengeAnswer, expectedPastelId?: string): Promise<string | undefined> {
    const stored = await this.challenges.find(answer.challengeId);
    if (stored === null) return undefined;
    const now = this.clock.now();
    if (stored.expires_at_ms <= now.getTime()) throw expired(stored.expires_at_ms, now);
    if (expectedPastelId !== undefined && stored.pastelid !== expectedPastelId) return undefined;
    if (answer.challenge !== undefined && answer.challenge !== stored.challenge) return undefined;
    if (!(await this.checking.verify(stored.pastelid, stored.challenge, answer.signature))) {
      await this.challenges.countWrongSignature(answer.challengeId);
      return undefined;
    }
    const isFirst = await this.challenges.take(answer.challengeId, this.clock.now().getTime());
    return isFirst ? stored.pastelid : undefined;
  }

  /** Removes expired challenges, a bounded number at a time; says how many. */
  sweep(now: Date): Promise<number> {
    return this.challenges.removeExpired(now.getTime(), SWEPT_AT_ONCE_MAX);
  }
}

const expired = (expiresAtMs: number, now: Date): Refusal =>
  new Refusal(
    'unauthorized',
    `The challenge expired at ${new Date(expiresAtMs).toISOString()}; the clock here says ${now.toISOString()}`,
  );
