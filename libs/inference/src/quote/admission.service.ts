import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InferenceSettings } from '#config';
import { PackLedger, type CreditPack } from '#credit-pack';
import { millicreditsOfTenths, Refusal, TENTHS_PER_CREDIT, tenthsOfMillicredits, type InferenceAPIUsageRequest } from '#protocol';
import { RedemptionService, type NoteForRequest } from '../credit-notes/redemption.service.js';
import { InferenceRepository } from '../inference.repository.js';
import { creditNoteIn } from './parameters.rules.js';

/** Who wants to spend which pack; or a credit note, where the parameters name one. */
type Spending = Pick<
  InferenceAPIUsageRequest,
  'requesting_pastelid' | 'credit_pack_ticket_pastel_txid' | 'model_parameters_json_b64'
>;

/** Who will pay: a pack, or a note of the same user. */
export interface Payer {
  readonly pack: CreditPack;
  readonly pastelId: string;
  readonly noteId: string | undefined;
}
/** A payer who can, and what is left in the pack. */
export interface Admission {
  readonly pack: CreditPack;
  readonly availableTenths: number;
  readonly note?: NoteForRequest;
}

/** Whether the requester may spend this much. Everything here throws a Refusal with the reason. */
@Injectable()
export class AdmissionService {
  constructor(
    private readonly ledger: PackLedger,
    private readonly repository: InferenceRepository,
    private readonly redemptions: RedemptionService,
    private readonly settings: InferenceSettings,
  ) {}

  /** Own rows first, then the chain. The payer must have at least what the cheapest request costs. */
  async admit(request: Spending): Promise<Payer> {
    const { requesting_pastelid: pastelId, credit_pack_ticket_pastel_txid: txid } = request;
    this.mustHaveRoom(pastelId, await this.repository.openQuotesOf(pastelId));
    const pack = await this.ledger.find(txid);
    if (!pack) throw new Refusal('bad-request', `There is no valid credit pack with the txid ${txid}`);
    if (!pack.authorisedPastelIds.includes(pastelId)) {
      throw new Refusal('forbidden', `${pastelId} is not authorised to use the credit pack ${pack.registrationTxid}`);
    }
    const payer = { pack, pastelId, noteId: creditNoteIn(request.model_parameters_json_b64) };
    await this.afford(payer, this.settings.minimumCostTenths);
    return payer;
  }

  /** A cost equal to the balance is served. The hold decides; this says so before anything is signed. */
  async afford({ pack, pastelId, noteId }: Payer, costTenths: number): Promise<Admission> {
    const availableTenths = tenthsOfMillicredits((await this.ledger.balanceOf(pack)).availableMillicredits);
    if (noteId !== undefined) return { pack, availableTenths, note: await this.redemptions.admit(noteId, pastelId, costTenths) };
    if (costTenths > availableTenths) throw insufficient(costTenths, availableTenths);
    return { pack, availableTenths };
  }

  /** Once more, where it decides: before anything else in the transaction that stores the quote. */
  async limitQuotes(m: EntityManager, pastelId: string): Promise<void> {
    this.mustHaveRoom(pastelId, await this.repository.countOpenQuotesAlone(m, pastelId));
  }
  private mustHaveRoom(pastelId: string, openQuotes: number): void {
    const { openQuotesPerPastelIdMax: most } = this.settings;
    if (openQuotes >= most) throw new Refusal('too-many', `${pastelId} has ${most} unpaid quotes open`);
  }

  /** Sets the credits aside, in the transaction that stores the quote. */
  async hold(
    m: EntityManager,
    { pack, availableTenths, note }: Admission,
    { tenths, ...hold }: { requestId: string; tenths: number; expiresAtHeight: number },
  ): Promise<void> {
    if (note) return this.redemptions.hold(m, note, tenths);
    if (!(await this.ledger.hold(m, { pack, ...hold, millicredits: millicreditsOfTenths(tenths) })))
      throw insufficient(tenths, Math.min(availableTenths, tenths - 1));
  }
}

const insufficient = (costTenths: number, availableTenths: number): Refusal =>
  new Refusal(
    'bad-request',
    `Insufficient credits: the request costs ${costTenths / TENTHS_PER_CREDIT}, at most ${availableTenths / TENTHS_PER_CREDIT} are available`,
  );
