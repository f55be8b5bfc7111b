import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Transactions } from '#database';
import {
  Clock,
  creditsFloat,
  kinds,
  Refusal,
  TENTHS_PER_CREDIT,
  tenthsFromCredits,
  type CreditNote,
  type PythonNumber,
} from '#protocol';
import { InferenceRepository } from '../inference.repository.js';
import { isSettled } from '../payment/request-state.rules.js';
import { CreditNotesRepository } from './credit-notes.repository.js';
import type { NoteAccount } from './note-account.entity.js';

const NOTES_MAX = 1000;

/** A note, as its owner sees it. */
export interface CreditNoteBalance {
  readonly note: CreditNote;
  readonly credits_open: PythonNumber;
  readonly credits_held: PythonNumber;
  readonly credits_redeemed: PythonNumber;
}
/** A note that may pay for a request. */
export interface NoteForRequest {
  readonly noteId: string;
  readonly owedTenths: number;
}

/**
 * Credit notes are spent where they were written (docs/money.md).
 *
 * 1. A request names its note in the parameter `credit_note_id`; the quote sets its cost aside from the note, asks for no burn, and needs no
 *    free credits in the pack.
 * 2. The owner accepts the quote, and the request is to be run.
 * 3. Served, the amount is redeemed; otherwise it is open again, and so it is when the quote is not accepted in time.
 */
@Injectable()
export class RedemptionService {
  constructor(
    private readonly transactions: Transactions,
    private readonly repository: InferenceRepository,
    private readonly notes: CreditNotesRepository,
    private readonly clock: Clock,
  ) {}

  /** Throws a Refusal where the note is not the requester's or does not have so much left. */
  async admit(noteId: string, pastelId: string, costTenths: number): Promise<NoteForRequest> {
    const note = kinds.uuid.accepts(noteId) ? await this.notes.note(noteId) : null;
    if (note?.requesting_pastelid !== pastelId)
      throw new Refusal(
        'bad-request',
        `credit_note_id: ${pastelId} has no credit note ${noteId.slice(0, 100)} of this supernode`,
      );
    const owedTenths = tenthsFromCredits(note.credits_owed)!;
    const [account] = await this.notes.accountsOf([noteId]);
    const open = openTenths(account, owedTenths);
    if (costTenths > open)
      throw new Refusal(
        'bad-request',
        `credit_note_id: the request costs ${costTenths / TENTHS_PER_CREDIT} credits, ${open / TENTHS_PER_CREDIT} are open in the note`,
      );
    return { noteId, owedTenths };
  }

  /** Sets the cost aside, in the transaction that stores the quote. */
  async hold(m: EntityManager, { noteId, owedTenths }: NoteForRequest, costTenths: number): Promise<void> {
    if (await this.notes.hold(m, noteId, owedTenths, costTenths)) return;
    throw new Refusal(
      'bad-request',
      `credit_note_id: fewer than ${costTenths / TENTHS_PER_CREDIT} credits are open in the note by now`,
    );
  }

  /** The owner accepts a quote that a note pays. Again: nothing changes. */
  async redeem(requestId: string, caller: string): Promise<{ inference_request_id: string; credit_note_id: string }> {
    const job = kinds.uuid.accepts(requestId) ? await this.repository.job(requestId) : null;
    if (!job) throw new Refusal('not-found', 'There is no such inference request');
    if (job.owner_pastelid !== caller) throw new Refusal('forbidden', 'The inference request belongs to another PastelID');
    if (job.note_id === null) throw new Refusal('conflict', 'The inference request is paid by a burn, not by a credit note');
    const nowMs = this.clock.now().getTime();
    const isOurs = await this.transactions.run('inference: credit note accepted', (m) =>
      this.repository.step(m, requestId, 'QUOTED', 'CONFIRMED', { confirmed_at_ms: nowMs, due_at_ms: nowMs }),
    );
    const now = isOurs ? undefined : await this.repository.job(requestId);
    if (now && !isSettled(now.state)) throw new Refusal('conflict', 'The quote was not accepted in time; ask for another one');
    return { inference_request_id: requestId, credit_note_id: job.note_id };
  }

  async balancesOf(pastelId: string): Promise<CreditNoteBalance[]> {
    const notes = await this.notes.notesOf(pastelId, NOTES_MAX);
    const accounts = await this.notes.accountsOf(notes.map(({ credit_note_id }) => credit_note_id));
    const byId = new Map(accounts.map((account) => [account.credit_note_id, account]));
    return notes.map((note) => {
      const account = byId.get(note.credit_note_id);
      return {
        note,
        credits_open: creditsFloat(openTenths(account, tenthsFromCredits(note.credits_owed)!)),
        credits_held: creditsFloat(account?.held_tenths ?? 0),
        credits_redeemed: creditsFloat(account?.redeemed_tenths ?? 0),
      };
    });
  }
}

const openTenths = (account: NoteAccount | undefined, owedTenths: number): number =>
  account ? account.owed_tenths - account.held_tenths - account.redeemed_tenths : owedTenths;
