import { Injectable } from '@nestjs/common';
import { isUniqueViolation, Transactions } from '#database';
import { Clock } from '#protocol';
import { BurnCounting, ClaimLost } from './burn-counting.service.js';
import { BurnIndex } from './burn-index.service.js';
import { judgeClaim } from './burn.rules.js';
import type { HoldRow } from './hold.entity.js';
import type { BurnVerdict } from './pack-ledger.js';
import { LedgerStore } from './pack-ledger.store.js';
import type { PackRow } from './pack.entity.js';
import { packOf } from './pack.rules.js';

export interface Claim {
  readonly requestId: string;
  readonly txid: string;
}

/**
 * An owner names the burn that pays for a request (inference spec 5.5 [FIX]).
 *
 * 1. The same pair again gets the same verdict; another burn for a settled hold is refused.
 * 2. Look at the transaction, and note when it was first seen, which decides later whether it came in time.
 * 3. Judge it (burn.rules.ts). One that is the owner's but too much or too late counts only once it is mined: a credit note will be owed
 *    for it, and a waiting transaction can still be taken back.
 * 4. Read the pack's other burns, then claim it in one transaction: unique over all requests, hold settled, counters moved.
 */
@Injectable()
export class HoldClaims {
  constructor(
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
    private readonly counting: BurnCounting,
    private readonly burns: BurnIndex,
    private readonly clock: Clock,
  ) {}

  async claim(claim: Claim): Promise<BurnVerdict> {
    const { hold, pack } = await this.openHold(claim.requestId);
    if (!hold || !pack) return refused('No credits are held for this request');
    if (hold.burnTxid !== null) return this.verdictOn(claim, hold);
    const named = await this.burns.look(claim.txid, pack.trackingAddress);
    // Nothing is decided about a pack whose ticket a reorganisation has taken away for now.
    if (!named || pack.state === 'orphaned') return { verdict: 'unseen' };
    const judgement = judgeClaim({ ...hold, trackingAddress: pack.trackingAddress }, named);
    if (judgement.verdict === 'refused') return refused(judgement.reason);
    if (judgement.verdict === 'owned' && named.minedAt === undefined) return { verdict: 'unseen' };
    await this.burns.refresh(packOf(pack), this.clock.now());
    return this.settle(claim, judgement.verdict === 'owned' ? judgement.reason : null);
  }

  private async settle(claim: Claim, refusal: string | null): Promise<BurnVerdict> {
    let lost: ClaimLost | undefined;
    try {
      await this.transactions.run('ledger: burn claimed', async (manager) => {
        await this.store.packs.pay(manager);
        const hold = await this.store.holds.of(manager, claim.requestId);
        if (!hold || hold.burnTxid !== null) throw new ClaimLost('taken', PAID_ALREADY);
        await this.counting.claim(manager, hold, claim.txid, refusal);
      });
    } catch (error) {
      if (isUniqueViolation(error)) lost = new ClaimLost('taken', PAID_ALREADY);
      else if (error instanceof ClaimLost) lost = error;
      else throw error;
    }
    // Whoever lost to the same claim sees here that it has won.
    const { hold } = await this.openHold(claim.requestId);
    if (hold && hold.burnTxid !== null) return this.verdictOn(claim, hold);
    return lost === undefined || lost.outcome === 'undecided' ? { verdict: 'unseen' } : refused(lost.message);
  }

  private async verdictOn({ txid }: Claim, hold: HoldRow): Promise<BurnVerdict> {
    if (hold.burnTxid !== txid) return { verdict: 'refused', reason: PAID_ALREADY, paidBy: hold.burnTxid! };
    if (hold.refusal !== null) return { verdict: 'refused', reason: hold.refusal, ownedMillicredits: hold.millicredits };
    const burn = await this.transactions.read((manager) => this.store.burns.byTxid(manager, txid));
    return { verdict: 'claimed', seenAtHeight: burn!.seenAtHeight };
  }

  private openHold(requestId: string): Promise<{ hold: HoldRow | null; pack: PackRow | null }> {
    return this.transactions.read(async (manager) => {
      const hold = await this.store.holds.of(manager, requestId);
      return { hold, pack: hold && (await this.store.packs.byTxid(manager, hold.packTxid)) };
    });
  }
}
const PAID_ALREADY = 'The request was paid by another transaction already';
const refused = (reason: string): BurnVerdict => ({ verdict: 'refused', reason });
