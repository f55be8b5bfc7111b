import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PackLedger, type BurnVerdict } from '#credit-pack';
import type { InferenceJob } from '../inference.entities.js';
import { CreditNotesRepository } from './credit-notes.repository.js';

/** What pays for a request: credits of a pack that are held until they are burned, or what is left of a credit note. */
@Injectable()
export class RequestFunds {
  constructor(
    private readonly ledger: PackLedger,
    private readonly notes: CreditNotesRepository,
  ) {}

  claimBurn(claim: { requestId: string; txid: string }): Promise<BurnVerdict> {
    return this.ledger.claimBurn(claim);
  }

  /** Nobody pays: what was set aside is free again. */
  release(m: EntityManager, job: InferenceJob): Promise<void> {
    if (job.note_id === null) return this.ledger.release(m, job.inference_request_id);
    return this.notes.giveBack(m, job.note_id, job.cost_tenths);
  }

  /** It was served. What was burned is spent already. */
  async spend(m: EntityManager, job: InferenceJob): Promise<void> {
    if (job.note_id !== null) await this.notes.redeem(m, job.note_id, job.cost_tenths);
  }
}
