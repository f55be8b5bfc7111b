import { Injectable } from '@nestjs/common';
import { BurnIndex } from './ledger/burn-index.service.js';
import { PurchaseSweep } from './purchase/purchase-sweep.service.js';
import { TicketIndex } from './ledger/ticket-index.service.js';

/** All scheduled work of credit packs in one bounded, idempotent round, for whoever has no scheduler. Throws ChainUnavailable. */
@Injectable()
export class CreditPackSweeps {
  constructor(
    private readonly tickets: TicketIndex,
    private readonly burns: BurnIndex,
    private readonly purchases: PurchaseSweep,
  ) {}

  async sweep(now: Date): Promise<void> {
    await this.tickets.sweep(now);
    await this.burns.sweep(now);
    await this.purchases.sweep(now);
  }
}
