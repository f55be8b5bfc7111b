import { Injectable } from '@nestjs/common';
import { In, IsNull, LessThan, MoreThan, Not, type EntityManager } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import { CreditNote, InferenceAPIOutputResult, InferenceAPIUsageRequest, InferenceAPIUsageResponse } from '#protocol';
import { dueBy, passingOverLocked, passThrough, Transactions, type Due } from '#database';
import { InferenceJob, OwedAnnouncement } from './inference.entities.js';
import { legalSteps, mayStep, requestStates, type RequestState } from './payment/request-state.rules.js';

export type JobChanges = QueryDeepPartialEntity<Omit<InferenceJob, 'inference_request_id' | 'state'>>;
/** What a request starts with; the rest of the row is empty. */
type NewJob = Pick<
  InferenceJob,
  | 'inference_request_id'
  | 'inference_response_id'
  | 'request_hash'
  | 'owner_pastelid'
  | 'pack_txid'
  | 'model'
  | 'provider'
  | 'upstream_model'
  | 'workload'
  | 'fallbacks'
  | 'note_id'
  | 'inference_type'
  | 'parameters'
  | 'cost_tenths'
  | 'max_height'
  | 'created_at_ms'
>;

export type NewAnnouncement = Pick<OwedAnnouncement, 'id' | 'message_type' | 'text' | 'closest_to' | 'created_at_ms'>;
export interface NewQuote {
  readonly request: InferenceAPIUsageRequest;
  readonly response: InferenceAPIUsageResponse;
  readonly job: NewJob;
  readonly announcement: NewAnnouncement;
}
/** What a request ends with; the note where it was paid for and not served. */
export interface Ending {
  readonly result: InferenceAPIOutputResult;
  readonly announcement: NewAnnouncement;
  readonly note?: CreditNote;
}

const FINAL_STATES = requestStates.filter((state) => legalSteps[state].length === 0);

/** The requests that this node answered, and what became of them. */
@Injectable()
export class InferenceRepository {
  constructor(private readonly transactions: Transactions) {}

  job(requestId: string): Promise<InferenceJob | null> {
    return this.transactions.read((m) => m.findOneBy(InferenceJob, { inference_request_id: requestId }));
  }

  jobOfResponse(responseId: string): Promise<InferenceJob | null> {
    return this.transactions.read((m) => m.findOneBy(InferenceJob, { inference_response_id: responseId }));
  }

  /** By the id of the request or of its response, as audits ask (inference spec 2.1, 7/8). */
  async jobByEitherId(id: string): Promise<InferenceJob | null> {
    return (await this.job(id)) ?? (await this.jobOfResponse(id));
  }

  request(requestId: string): Promise<InferenceAPIUsageRequest | null> {
    return this.transactions.read((m) => m.findOneBy(InferenceAPIUsageRequest, { inference_request_id: requestId }));
  }

  responseOf(requestId: string): Promise<InferenceAPIUsageResponse | null> {
    return this.transactions.read((m) => m.findOneBy(InferenceAPIUsageResponse, { inference_request_id: requestId }));
  }

  resultOf(responseId: string): Promise<InferenceAPIOutputResult | null> {
    return this.transactions.read((m) => m.findOneBy(InferenceAPIOutputResult, { inference_response_id: responseId }));
  }

  hasResult(responseId: string): Promise<boolean> {
    return this.transactions.read((m) => m.existsBy(InferenceAPIOutputResult, { inference_response_id: responseId }));
  }

  /** By request id, those after the given one. */
  jobsAfter(m: EntityManager, requestId: string, take: number): Promise<InferenceJob[]> {
    const where = { inference_request_id: MoreThan(requestId) };
    return m.find(InferenceJob, { where, order: { inference_request_id: 'ASC' }, take });
  }

  async jobsAndNotes(m: EntityManager, requestIds: readonly string[]): Promise<{ jobs: InferenceJob[]; notes: CreditNote[] }> {
    const ofThese = { inference_request_id: In([...requestIds]) };
    return { jobs: await m.findBy(InferenceJob, ofThese), notes: await m.findBy(CreditNote, ofThese) };
  }

  openQuotesOf(pastelId: string): Promise<number> {
    return this.transactions.read((m) => m.countBy(InferenceJob, { owner_pastelid: pastelId, state: 'QUOTED' }));
  }

  /** Lets the quotes of one PastelID be stored one after the other, and counts those that are open. First of all in its transaction. */
  async countOpenQuotesAlone(m: EntityManager, pastelId: string): Promise<number> {
    await passThrough(m, `quotes of ${pastelId}`);
    return m.countBy(InferenceJob, { owner_pastelid: pastelId, state: 'QUOTED' });
  }

  /** Throws a unique violation where the request id is taken. */
  async storeQuote(m: EntityManager, quote: NewQuote): Promise<void> {
    await m.insert(InferenceJob, { ...quote.job, state: 'QUOTED' });
    await m.insert(InferenceAPIUsageRequest, quote.request);
    await m.insert(InferenceAPIUsageResponse, quote.response);
    await this.owe(m, quote.announcement);
  }

  /**
   * Takes a legal step from exactly this state, else changes nothing and gives `false`: somebody else was first.
   * @param executor where given, only if that process runs it still
   */
  async step(
    m: EntityManager,
    requestId: string,
    from: RequestState,
    to: RequestState,
    changes: JobChanges = {},
    executor?: string,
  ): Promise<boolean> {
    if (!mayStep(from, to)) throw new TypeError(`No step leads from ${from} to ${to}`);
    const { affected } = await m.update(
      InferenceJob,
      { inference_request_id: requestId, state: from, ...(executor !== undefined && { executor }) },
      { ...changes, state: to },
    );
    return affected === 1;
  }

  /** Takes a request off the hands of a process that no longer renews its lease; `false` where it did renew it. */
  async stepFromLapsedLease(
    m: EntityManager,
    job: InferenceJob,
    to: 'CONFIRMED' | 'FAILED',
    changes: JobChanges,
  ): Promise<boolean> {
    const { affected } = await m.update(
      InferenceJob,
      { inference_request_id: job.inference_request_id, state: 'EXECUTING', due_at_ms: job.due_at_ms!, attempts: job.attempts },
      { ...changes, state: to },
    );
    return affected === 1;
  }

  /** Notes the burn that the owner names. `false` where the request is settled already. */
  nameBurn(requestId: string, txid: string, dueAtMs: number): Promise<boolean> {
    return this.transactions.run('inference: burn named', async (m) => {
      const unsettled = { inference_request_id: requestId, state: In(['QUOTED', 'EXPIRED']) };
      const changes = { named_txid: txid, named_checks: 0, due_at_ms: dueAtMs };
      return (await m.update(InferenceJob, unsettled, changes)).affected === 1;
    });
  }

  /** The named burn is not it, or not to be asked for any more; another one may be named. */
  forgetNamedBurn(requestId: string, txid: string, detail: string): Promise<void> {
    return this.transactions.run('inference: named burn forgotten', async (m) => {
      await m.update(
        InferenceJob,
        { inference_request_id: requestId, named_txid: txid, burn_txid: IsNull() },
        { named_txid: null, due_at_ms: null, detail },
      );
    });
  }

  postponeNamedBurn(requestId: string, txid: string, checks: number, dueAtMs: number): Promise<void> {
    return this.transactions.run('inference: named burn postponed', async (m) => {
      await m.update(
        InferenceJob,
        { inference_request_id: requestId, named_txid: txid, burn_txid: IsNull() },
        { named_checks: checks, due_at_ms: dueAtMs },
      );
    });
  }

  namedBurnsDue(due: Due, limit: number): Promise<InferenceJob[]> {
    const where = { state: In(['QUOTED', 'EXPIRED'] satisfies RequestState[]), due_at_ms: dueBy(due) };
    return this.transactions.read((m) => m.find(InferenceJob, { where, order: { due_at_ms: 'ASC' }, take: limit }));
  }
  /**
   * Takes the longest due request for an attempt, which counts from now on; undefined where there is none.
   * @param closed providers that take nothing now
   */
  async claimAttempt(
    due: Due,
    closed: readonly string[],
    lease: { executor: string; untilMs: number },
  ): Promise<InferenceJob | undefined> {
    const isOpen = closed.length > 0 ? { provider: Not(In([...closed])) } : {};
    const waiting = { ...isOpen, state: 'CONFIRMED' as const };
    // One that was never tried is due whatever the clock says.
    const where = [
      { ...waiting, due_at_ms: dueBy(due) },
      { ...waiting, attempts: 0 },
    ];
    // A look that finds nothing stores nothing.
    if (!(await this.transactions.read((m) => m.existsBy(InferenceJob, where)))) return undefined;
    return this.transactions.run('inference: attempt begun', async (m) => {
      const job = await m.findOne(InferenceJob, { where, order: { due_at_ms: 'ASC' }, ...passingOverLocked(m) });
      if (!job) return undefined;
      const taken = { attempts: job.attempts + 1, due_at_ms: lease.untilMs, executor: lease.executor };
      const isOurs = await this.step(m, job.inference_request_id, 'CONFIRMED', 'EXECUTING', taken);
      return isOurs ? { ...job, ...taken } : undefined;
    });
  }
  /** Paid before then, and not running. */
  waitingSince(ms: number, limit: number): Promise<InferenceJob[]> {
    const where = { state: 'CONFIRMED' as const, confirmed_at_ms: LessThan(ms) };
    return this.transactions.read((m) => m.find(InferenceJob, { where, order: { confirmed_at_ms: 'ASC' }, take: limit }));
  }
  /** Of all that run, those that were not renewed for longest first. */
  leases(limit: number): Promise<InferenceJob[]> {
    const where = { state: 'EXECUTING' as const };
    return this.transactions.read((m) => m.find(InferenceJob, { where, order: { due_at_ms: 'ASC' }, take: limit }));
  }

  /** Only the process that holds the lease may renew it. */
  renewLease(requestId: string, executor: string, untilMs: number): Promise<boolean> {
    return this.transactions.run('inference: lease renewed', async (m) => {
      const mine = { inference_request_id: requestId, state: 'EXECUTING' as const, executor };
      return (await m.update(InferenceJob, mine, { due_at_ms: untilMs })).affected === 1;
    });
  }

  /** Unpaid quotes whose last height is below; where a burn is named and still looked for, the look comes first. */
  unpaidBelow(maxHeight: number, limit: number): Promise<InferenceJob[]> {
    const where = { state: 'QUOTED' as const, max_height: LessThan(maxHeight) };
    return this.transactions.read((m) => m.find(InferenceJob, { where, order: { max_height: 'ASC' }, take: limit }));
  }

  async storeEnding(m: EntityManager, { result, announcement, note }: Ending): Promise<void> {
    await m.insert(InferenceAPIOutputResult, result);
    if (note) await m.insert(CreditNote, note);
    await this.owe(m, announcement);
  }

  private async owe(m: EntityManager, announcement: NewAnnouncement): Promise<void> {
    await m.insert(OwedAnnouncement, { ...announcement, due_at_ms: announcement.created_at_ms });
  }

  /**
   * Deletes the messages of requests that ended before; the row of the request and its credit note stay, so that ids and burns stay taken.
   * Gives how many requests were cleared.
   */
  clearEndedBefore(ms: number, which: 'ended' | 'expired', limit: number): Promise<number> {
    return this.transactions.run('inference: old messages deleted', async (m) => {
      const state = In(which === 'ended' ? FINAL_STATES : ['EXPIRED']);
      const where = { state, finished_at_ms: LessThan(ms), parameters: Not('') };
      const jobs = await m.find(InferenceJob, { where, order: { finished_at_ms: 'ASC' }, take: limit });
      const ids = In(jobs.map((job) => job.inference_request_id));
      if (jobs.length === 0) return 0;
      await m.delete(InferenceAPIOutputResult, { inference_request_id: ids });
      await m.delete(InferenceAPIUsageResponse, { inference_request_id: ids });
      await m.delete(InferenceAPIUsageRequest, { inference_request_id: ids });
      await m.update(InferenceJob, { inference_request_id: ids }, { parameters: '' });
      return jobs.length;
    });
  }
}
