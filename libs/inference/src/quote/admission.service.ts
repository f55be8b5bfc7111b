import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InferenceSettings } from '#config';
import { PackLedger, type CreditPack } from '#credit-pack';
import { millicreditsOfTenths, Refusal, TENTHS_PER_CREDIT, tenthsOfMillicredits, type InferenceAPIUsageRequest } from '#protocol';
import { InferenceRepository } from '../inference.repository.js';

/** Who wants to spend which pack. */
type Spending = Pick<InferenceAPIUsageRequest, 'requesting_pastelid' | 'credit_pack_ticket_pastel_txid'>;

/** A pack that may pay for a request, and what is left in it. */
export interface Admission {
  readonly pack: CreditPack;
  readonly availableTenths: number;
}

/** Whether the requester may spend this much of this pack. Everything here throws a Refusal with the reason. */
@Injectable()
export class AdmissionService {
  constructor(
    private readonly ledger: PackLedger,
    private readonly repository: InferenceRepository,
    private readonly settings: InferenceSettings,
  ) {}

  /** Own rows first, then the chain. The pack must hold at least what the cheapest request costs. */
  async admit(request: Spending): Promise<CreditPack> {
    const { requesting_pastelid: pastelId, credit_pack_ticket_pastel_txid: txid } = request;
    if ((await this.repository.openQuotesOf(pastelId)) >= this.settings.openQuotesPerPastelIdMax) {
      throw new Refusal('too-many', `${pastelId} has ${this.settings.openQuotesPerPastelIdMax} unpaid quotes open`);
    }
    const pack = await this.ledger.find(txid);
    if (!pack) throw new Refusal('bad-request', `There is no valid credit pack with the txid ${txid}`);
    if (!pack.authorisedPastelIds.includes(pastelId)) {
      throw new Refusal('forbidden', `${pastelId} is not authorised to use the credit pack ${pack.registrationTxid}`);
    }
    await this.ledger.refresh(pack);
    await this.afford(pack, this.settings.minimumCostTenths);
    return pack;
  }

  /** A cost equal to the balance is served. The hold decides; this says so before anything is signed. */
  async afford(pack: CreditPack, costTenths: number): Promise<Admission> {
    const availableTenths = tenthsOfMillicredits((await this.ledger.balanceOf(pack)).availableMillicredits);
    if (costTenths > availableTenths) throw insufficient(costTenths, availableTenths);
    return { pack, availableTenths };
  }

  /** Sets the credits aside, in the transaction that stores the quote. */
  async hold(
    m: EntityManager,
    { pack, availableTenths }: Admission,
    hold: { requestId: string; tenths: number; expiresAtHeight: number },
  ): Promise<void> {
    const { tenths, ...rest } = hold;
    if (!(await this.ledger.hold(m, { pack, ...rest, millicredits: millicreditsOfTenths(tenths) })))
      throw insufficient(hold.tenths, Math.min(availableTenths, hold.tenths - 1));
  }
}

const insufficient = (costTenths: number, availableTenths: number): Refusal =>
  new Refusal(
    'bad-request',
    `Insufficient credits: the request costs ${costTenths / TENTHS_PER_CREDIT}, at most ${availableTenths / TENTHS_PER_CREDIT} are available`,
  );
