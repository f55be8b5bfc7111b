import { Injectable, Logger } from '@nestjs/common';
import { Chain } from '#chain';
import type { BurnVerdict } from '#credit-pack';
import { isUniqueViolation, Transactions } from '#database';
import { Clock, Refusal, tenthsOfMillicredits, type InferenceConfirmation } from '#protocol';
import type { UnservedCode } from '../execution/result.rules.js';
import { RequestFunds } from '../credit-notes/request-funds.service.js';
import type { InferenceJob } from '../inference.entities.js';
import { InferenceMessages } from '../inference-messages.service.js';
import { InferenceRepository, type JobChanges } from '../inference.repository.js';
import { expiredBelow, isSettled, type RequestState } from './request-state.rules.js';

const CHECK_FIRST_MS = 2_000;
const CHECK_PAUSE_MS_MAX = 60_000;
/** A burn that nobody has seen after so many looks (some two hours) is not coming. */
const CHECKS_MAX = 120;
const SWEEP_MAX = 50;

const SETTLED = { CONFIRMED: 'inference: burn accepted', REFUSED: 'inference: burn refused with a note' } as const;

/** Why a burn is noted, as the signed failure says it. Too little is refused, so what is less than the cost is what the pack had left. */
const noteCodeOf = (costTenths: number, ownedTenths: number): UnservedCode =>
  ownedTenths > costTenths ? 'burn_overpaid' : ownedTenths < costTenths ? 'burn_overdrawn' : 'burn_too_late';
/** 2 s, 3 s, 4.5 s … 60 s. */
const pauseAfter = (checks: number): number => Math.min(Math.ceil(CHECK_FIRST_MS * 1.5 ** checks), CHECK_PAUSE_MS_MAX);
const UNSETTLED: readonly RequestState[] = ['QUOTED', 'EXPIRED'];

/**
 * The owner names the burn that pays a quote (inference spec 5.5 [FIX]).
 *
 * 1. Only the owner of the request may; naming the same burn again changes nothing.
 * 2. The txid is stored, then judged by the ledger: at once, and if the chain does not know it yet, by a sweep until it does.
 * 3. Good and in time: the request is to be run. The owner's own burn, but too late, too much or more than the pack had: not run, a credit note.
 *    Anything else: refused, and the right burn may still be named.
 * 4. The ledger settles a hold before the request takes its step, so a node that dies between the two finds the request unsettled and its
 *    hold paid: whatever burn is named then, the one that paid is the one that counts.
 * 5. A quote that is not paid in time expires, and its hold is released.
 */
@Injectable()
export class ConfirmationService {
  private readonly logger = new Logger(ConfirmationService.name);
  private looking: Promise<void> | undefined;

  constructor(
    private readonly transactions: Transactions,
    private readonly repository: InferenceRepository,
    private readonly funds: RequestFunds,
    private readonly messages: InferenceMessages,
    private readonly chain: Chain,
    private readonly clock: Clock,
  ) {}

  /** The confirmation again, as clients expect; a Refusal where it is certain by now that this burn does not pay. */
  async confirm(confirmation: InferenceConfirmation, caller: string): Promise<InferenceConfirmation> {
    const {
      inference_request_id: id,
      requesting_pastelid: named,
      confirmation_transaction: { txid },
    } = confirmation;
    const job = await this.repository.job(id);
    if (!job || job.parameters === '') throw new Refusal('not-found', `There is no open inference request ${id}`);
    if (job.owner_pastelid !== caller || named !== caller)
      throw new Refusal('forbidden', 'The inference request belongs to another PastelID');

    if (job.note_id !== null)
      throw new Refusal('conflict', 'The inference request is paid by a credit note; see redeem_credit_note');

    const isNamed =
      !isSettled(job.state) && (await this.repository.nameBurn(id, txid, this.clock.now().getTime() + CHECK_FIRST_MS));
    const refusal = isNamed
      ? await this.judgeNow({ ...job, named_txid: txid, named_checks: 0 })
      : await this.settledAlready(id, txid);
    if (refusal !== undefined) throw new Refusal('conflict', refusal);
    return confirmation;
  }

  /** Looks again for named burns that were not seen yet. One sweep at a time. */
  sweep(now: Date): Promise<void> {
    return (this.looking ??= this.lookAgain(now).finally(() => (this.looking = undefined)));
  }
  private async lookAgain(now: Date): Promise<void> {
    const due = { nowMs: now.getTime(), pauseMsMax: CHECK_PAUSE_MS_MAX };
    for (const job of await this.repository.namedBurnsDue(due, SWEEP_MAX)) await this.judgeNow(job);
  }

  /** Gives up quotes that were not paid in time. The hold stays while the chain cannot be asked. */
  async expireUnpaid(): Promise<void> {
    const height = await this.chain.height();
    for (const job of await this.repository.unpaidBelow(expiredBelow(height), SWEEP_MAX)) {
      if (await this.isStillUnpaid(job)) await this.expire(job);
    }
  }

  /** A named burn is looked for once more: it may have been mined in time. */
  private async isStillUnpaid(job: InferenceJob): Promise<boolean> {
    if (job.named_txid === null) return true;
    const verdict = await this.judgement(job, job.named_txid);
    if (verdict === undefined || verdict.verdict === 'unseen') return verdict !== undefined;
    return (await this.settle(job, job.named_txid, verdict)) !== undefined;
  }

  private async expire(job: InferenceJob): Promise<void> {
    const { inference_request_id: id, max_height } = job;
    const finished_at_ms = this.clock.now().getTime();
    await this.transactions.run('inference: quote expired', async (m) => {
      const changes = { finished_at_ms, detail: `Not paid by block ${max_height}` };
      if (await this.repository.step(m, id, 'QUOTED', 'EXPIRED', changes)) await this.funds.release(m, job);
    });
  }

  /** Why this txid is refused, if it is. */
  private async settledAlready(id: string, txid: string): Promise<string | undefined> {
    const job = await this.repository.job(id);
    if (job?.burn_txid !== txid) return 'The inference request was paid by another transaction';
    return job.state === 'REFUSED' ? (job.detail ?? 'The burn does not pay this request') : undefined;
  }

  /** A refusal's reason; undefined where the burn is good or not decided. Trouble with the chain decides nothing. */
  private async judgeNow(job: InferenceJob): Promise<string | undefined> {
    const { inference_request_id: id, named_txid: txid } = job;
    const verdict = await this.judgement(job, txid!);
    if (verdict === undefined || verdict.verdict === 'unseen') {
      const checks = job.named_checks + 1;
      if (checks > CHECKS_MAX) await this.repository.forgetNamedBurn(id, txid!, 'The named burn never appeared');
      else await this.repository.postponeNamedBurn(id, txid!, checks, this.clock.now().getTime() + pauseAfter(checks));
      return undefined;
    }
    return this.settle(job, txid!, verdict);
  }

  private async judgement({ inference_request_id: requestId }: InferenceJob, txid: string): Promise<BurnVerdict | undefined> {
    try {
      return await this.funds.claimBurn({ requestId, txid });
    } catch (error) {
      this.logger.warn(`Request ${requestId}: its burn could not be judged: ${(error as Error).message}`);
      return undefined;
    }
  }

  private async settle(
    job: InferenceJob,
    txid: string,
    verdict: Exclude<BurnVerdict, { verdict: 'unseen' }>,
  ): Promise<string | undefined> {
    if (verdict.verdict === 'claimed') {
      if (verdict.seenAtHeight <= job.max_height) return this.accept(job, txid, verdict.seenAtHeight);
      const reason = `The burn came in block ${verdict.seenAtHeight}; the last one was ${job.max_height}`;
      return this.oweNote(job, txid, reason, job.cost_tenths);
    }
    if (verdict.ownedMillicredits !== undefined)
      return this.oweNote(job, txid, verdict.reason, tenthsOfMillicredits(verdict.ownedMillicredits));
    if (verdict.paidBy !== undefined) await this.settleByEarlier(job, verdict.paidBy);
    await this.repository.forgetNamedBurn(job.inference_request_id, txid, verdict.reason);
    return verdict.reason;
  }

  private async settleByEarlier(job: InferenceJob, paidBy: string): Promise<void> {
    const verdict = await this.judgement(job, paidBy);
    if (!verdict || verdict.verdict === 'unseen' || (verdict.verdict === 'refused' && verdict.paidBy !== undefined)) return;
    await this.settle(job, paidBy, verdict);
  }

  private async accept(
    { inference_request_id: id }: InferenceJob,
    txid: string,
    seenAtHeight: number,
  ): Promise<string | undefined> {
    const nowMs = this.clock.now().getTime();
    const settled = { burn_txid: txid, burn_seen_height: seenAtHeight, confirmed_at_ms: nowMs };
    const changes = { ...settled, due_at_ms: nowMs, detail: null, finished_at_ms: null };
    return this.settleOnce(id, txid, 'CONFIRMED', changes, async () => undefined);
  }

  private async oweNote(job: InferenceJob, txid: string, reason: string, ownedTenths: number): Promise<string | undefined> {
    const request = await this.repository.request(job.inference_request_id);
    if (!request) return reason;
    const code = noteCodeOf(job.cost_tenths, ownedTenths);
    const ending = await this.messages.unserved({ job, request, code, reason, burnTxid: txid, owedTenths: ownedTenths });
    const changes = { burn_txid: txid, due_at_ms: null, detail: reason, finished_at_ms: this.clock.now().getTime() };
    const refusal = await this.settleOnce(job.inference_request_id, txid, 'REFUSED', changes, async (m) => {
      await this.funds.release(m, job);
      await this.repository.storeEnding(m, ending);
    });
    return refusal ?? reason;
  }

  /** One step out of whichever unsettled state the request is in; the database refuses a burn that paid another request here. */
  private async settleOnce(
    id: string,
    txid: string,
    to: 'CONFIRMED' | 'REFUSED',
    changes: JobChanges,
    also: (m: Parameters<InferenceRepository['storeEnding']>[0]) => Promise<void>,
  ): Promise<string | undefined> {
    try {
      const moved = await this.transactions.run(SETTLED[to], async (m) => {
        for (const from of UNSETTLED) {
          if (await this.repository.step(m, id, from, to, changes)) {
            await also(m);
            return true;
          }
        }
        return false;
      });
      return moved ? undefined : await this.settledAlready(id, txid);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      const reason = 'The burn has paid another inference request';
      await this.repository.forgetNamedBurn(id, txid, reason);
      return reason;
    }
  }
}
