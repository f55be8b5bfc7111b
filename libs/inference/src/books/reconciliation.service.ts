import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PackReconciliation, type Difference, type Frozen, type HeldFor } from '#credit-pack';
import { Transactions } from '#database';
import { millicreditsOfTenths, tenthsFromCredits, type CreditNote } from '#protocol';
import { CreditNotesRepository } from '../credit-notes/credit-notes.repository.js';
import type { InferenceJob } from '../inference.entities.js';
import { InferenceRepository } from '../inference.repository.js';
import { noteFaults } from './note-accounts.rules.js';
import { accountFaults, fateOf, type Fate, type RequestAccount } from './reconciliation.rules.js';

/** Amounts in thousandths of a credit. */
export interface Books {
  readonly packs: number;
  readonly requests: number;
  readonly burnedMillicredits: Readonly<Record<Fate, number>>;
  /** Of what was noted: `noted = open + redeemed`; held for requests counts as open. */
  readonly notesMillicredits: { readonly open: number; readonly redeemed: number };
  readonly differences: readonly Difference[];
  /** Packs and holds that wait for a ticket or a burn that has vanished from the chain. */
  readonly frozen: readonly Frozen[];
}

const PAGE = 500;
const DIFFERENCES_MAX = 1000;

/**
 * Whether the books of this node add up: every pack with its burns and holds, and every hold with its request. So
 * `initial = available + held + burned` for each pack, and `burned = served + credit notes + underway`. Changes nothing; all of it is read
 * from one snapshot, so that a running node may be compared.
 */
@Injectable()
export class Reconciliation {
  constructor(
    private readonly transactions: Transactions,
    private readonly packs: PackReconciliation,
    private readonly repository: InferenceRepository,
    private readonly notes: CreditNotesRepository,
  ) {}

  /** Over any database that has the tables, without a node. */
  static over(transactions: Transactions): Reconciliation {
    return new Reconciliation(
      transactions,
      PackReconciliation.over(transactions),
      new InferenceRepository(transactions),
      new CreditNotesRepository(transactions),
    );
  }

  /** At most a thousand differences of requests are told. */
  reconcile(): Promise<Books> {
    return this.transactions.snapshot(async (manager) => {
      const { packs, differences: ofPacks, frozen } = await this.packs.reconcileIn(manager);
      const differences: Difference[] = [...ofPacks];
      const burnedMillicredits = { served: 0, noted: 0, underway: 0 };
      let requests = 0;
      for await (const [id, request, hold] of this.accounts(manager)) {
        if (request) requests++;
        for (const fault of accountFaults(request, hold)) {
          if (differences.length < DIFFERENCES_MAX) differences.push(differenceOf(id, fault, request, hold));
        }
        const fate = request && hold && fateOf(request, hold);
        if (fate && hold.burnTxid !== null) burnedMillicredits[fate] += hold.millicredits;
      }
      const { faults, redeemedTenths } = await this.noteBooks(manager);
      const redeemed = millicreditsOfTenths(redeemedTenths);
      const notesMillicredits = { open: burnedMillicredits.noted - redeemed, redeemed };
      return { packs, requests, burnedMillicredits, notesMillicredits, differences: [...differences, ...faults], frozen };
    });
  }

  private async noteBooks(manager: EntityManager): Promise<{ faults: Difference[]; redeemedTenths: number }> {
    const accounts = await this.notes.accounts(manager);
    const owed = new Map(
      (await this.notes.owedOfAll(manager)).map((note) => [note.credit_note_id, tenthsFromCredits(note.credits_owed) ?? NaN]),
    );
    const faults = noteFaults(accounts, owed, await this.notes.costsByNote(manager)).map(
      ({ noteId, what, stored, computed }) => ({
        packTxid: undefined,
        what: `credit note ${noteId}: ${what}`,
        stored,
        computed,
      }),
    );
    return { faults, redeemedTenths: accounts.reduce((sum, { redeemed_tenths }) => sum + redeemed_tenths, 0) };
  }

  /** Every hold with its request, then every request without a hold. */
  private async *accounts(
    manager: EntityManager,
  ): AsyncGenerator<[id: string, request: RequestAccount | undefined, hold: HeldFor | undefined]> {
    const held = new Set<string>();
    for (let after = ''; ;) {
      const holds = await this.packs.holdsAfter(manager, after, PAGE);
      const requests = await this.requestsOf(manager, holds);
      for (const hold of holds) {
        held.add(hold.requestId);
        yield [hold.requestId, requests.get(hold.requestId), hold];
      }
      if (holds.length < PAGE) break;
      after = holds.at(-1)!.requestId;
    }
    for (let after = ''; ;) {
      const jobs = await this.repository.jobsAfter(manager, after, PAGE);
      for (const job of jobs) {
        if (!held.has(job.inference_request_id)) yield [job.inference_request_id, accountOf(job, undefined), undefined];
      }
      if (jobs.length < PAGE) break;
      after = jobs.at(-1)!.inference_request_id;
    }
  }

  private async requestsOf(manager: EntityManager, holds: readonly HeldFor[]): Promise<Map<string, RequestAccount>> {
    const ids = holds.map(({ requestId }) => requestId);
    const { jobs, notes } = await this.repository.jobsAndNotes(manager, ids);
    const noteOf = new Map(notes.map((note) => [note.inference_request_id, note]));
    return new Map(jobs.map((job) => [job.inference_request_id, accountOf(job, noteOf.get(job.inference_request_id))]));
  }
}

const accountOf = (job: InferenceJob, note: CreditNote | undefined): RequestAccount => ({
  requestId: job.inference_request_id,
  state: job.state,
  costMillicredits: millicreditsOfTenths(job.cost_tenths),
  burnTxid: job.burn_txid,
  namedTxid: job.named_txid,
  isPaidByNote: job.note_id !== null,
  note: note && { burnTxid: note.burn_txid, millicredits: millicreditsOfTenths(tenthsFromCredits(note.credits_owed) ?? NaN) },
});

const differenceOf = (id: string, what: string, request: RequestAccount | undefined, hold: HeldFor | undefined): Difference => ({
  packTxid: hold?.packTxid,
  what: `request ${id}: ${what}`,
  stored: request ? `${request.state}, cost ${request.costMillicredits}, burn ${request.burnTxid ?? 'none'}` : 'no request',
  computed: hold ? `${hold.state}, ${hold.millicredits} millicredits, burn ${hold.burnTxid ?? 'none'}` : 'no hold',
});
