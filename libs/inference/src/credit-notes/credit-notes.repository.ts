import { Injectable } from '@nestjs/common';
import { In, type EntityManager } from 'typeorm';
import { Transactions } from '#database';
import { CreditNote } from '#protocol';
import { InferenceJob } from '../inference.entities.js';
import type { RequestState } from '../payment/request-state.rules.js';
import { NoteAccount } from './note-account.entity.js';

/** The credit notes of this node, and what is left of them. Amounts in tenths of credits. */
@Injectable()
export class CreditNotesRepository {
  constructor(private readonly transactions: Transactions) {}

  note(noteId: string): Promise<CreditNote | null> {
    return this.transactions.read((m) => m.findOneBy(CreditNote, { credit_note_id: noteId }));
  }

  /** Newest first. */
  notesOf(pastelId: string, limit: number): Promise<CreditNote[]> {
    return this.transactions.read((m) =>
      m.find(CreditNote, {
        where: { requesting_pastelid: pastelId },
        order: { credit_note_utc_iso_string: 'DESC' },
        take: limit,
      }),
    );
  }

  accountsOf(noteIds: readonly string[]): Promise<NoteAccount[]> {
    return this.transactions.read((m) => m.findBy(NoteAccount, { credit_note_id: In([...noteIds]) }));
  }

  /** Sets aside what a request costs, with one conditional statement; `false` where less is open. */
  async hold(m: EntityManager, noteId: string, owedTenths: number, costTenths: number): Promise<boolean> {
    await m
      .createQueryBuilder()
      .insert()
      .into(NoteAccount)
      .values({ credit_note_id: noteId, owed_tenths: owedTenths, held_tenths: 0, redeemed_tenths: 0 })
      .orIgnore()
      .execute();
    return this.move(m, noteId, { held: costTenths, redeemed: 0 });
  }

  /** The request was served. */
  async redeem(m: EntityManager, noteId: string, costTenths: number): Promise<void> {
    await this.move(m, noteId, { held: -costTenths, redeemed: costTenths });
  }

  /** The request was not served, or not wanted in the end. */
  async giveBack(m: EntityManager, noteId: string, costTenths: number): Promise<void> {
    await this.move(m, noteId, { held: -costTenths, redeemed: 0 });
  }

  accounts(m: EntityManager): Promise<NoteAccount[]> {
    return m.find(NoteAccount);
  }
  /** Of all notes together. */
  async owedOfAll(m: EntityManager): Promise<CreditNote[]> {
    return m.find(CreditNote, { select: { credit_note_id: true, credits_owed: true } });
  }
  /** What the requests of each note cost, by where they stand. */
  async costsByNote(m: EntityManager): Promise<{ noteId: string; state: RequestState; tenths: number }[]> {
    const rows = await m
      .createQueryBuilder(InferenceJob, 'job')
      .select('job.note_id', 'note')
      .addSelect('job.state', 'state')
      .addSelect('SUM(job.cost_tenths)', 'tenths')
      .where('job.note_id IS NOT NULL')
      .groupBy('job.note_id')
      .addGroupBy('job.state')
      .getRawMany<{ note: string; state: RequestState; tenths: string | number }>();
    return rows.map(({ note, state, tenths }) => ({ noteId: note, state, tenths: Number(tenths) }));
  }

  private async move(m: EntityManager, noteId: string, { held, redeemed }: { held: number; redeemed: number }): Promise<boolean> {
    const { affected } = await m
      .createQueryBuilder()
      .update(NoteAccount)
      .set({ held_tenths: () => '"held_tenths" + :held', redeemed_tenths: () => '"redeemed_tenths" + :redeemed' })
      .where('"credit_note_id" = :noteId AND "held_tenths" + "redeemed_tenths" + :more <= "owed_tenths"')
      .setParameters({ noteId, held, redeemed, more: Math.max(0, held + redeemed) })
      .execute();
    return affected === 1;
  }
}
