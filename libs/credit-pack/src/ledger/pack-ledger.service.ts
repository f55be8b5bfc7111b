import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Transactions } from '#database';
import { Clock, millicreditsOfTenths, Refusal, USAGE_BURN_PATOSHIS_MAX } from '#protocol';
import { BurnIndex } from './burn-index.service.js';
import { HoldClaims, type Claim } from './hold-claims.service.js';
import { PackLedger, type BurnVerdict, type CreditPack, type PackBalance } from './pack-ledger.js';
import { LedgerStore } from './pack-ledger.store.js';
import { balanceOf, packOf } from './pack.rules.js';
import { TicketIndex } from './ticket-index.service.js';

/** The ledger in this node's database; see `PackLedger` for what each method promises. */
@Injectable()
export class DatabasePackLedger extends PackLedger {
  constructor(
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
    private readonly tickets: TicketIndex,
    private readonly burns: BurnIndex,
    private readonly claims: HoldClaims,
    private readonly clock: Clock,
  ) {
    super();
  }

  async find(txid: string): Promise<CreditPack | undefined> {
    const row = await this.tickets.find(txid);
    return row && packOf(row);
  }

  async balanceOf(pack: CreditPack): Promise<PackBalance> {
    await this.refresh(pack);
    return this.transactions.read(async (manager) => {
      const row = await this.store.packs.byTxid(manager, pack.registrationTxid);
      if (!row) throw new Refusal('not-found', 'Credit pack ticket not found');
      return balanceOf(row, await this.store.burns.count(manager, pack.registrationTxid));
    });
  }

  async hold(
    manager: EntityManager,
    {
      pack,
      requestId,
      millicredits,
      expiresAtHeight,
    }: { pack: CreditPack; requestId: string; millicredits: number; expiresAtHeight: number },
  ): Promise<boolean> {
    if (!Number.isSafeInteger(millicredits) || millicredits <= 0)
      throw new RangeError(`${millicredits} thousandths of a credit cannot be held`);
    if (millicredits > millicreditsOfTenths(USAGE_BURN_PATOSHIS_MAX))
      throw new Refusal('bad-request', `A single request may cost at most ${USAGE_BURN_PATOSHIS_MAX / 10} credits`);
    if (await this.store.holds.of(manager, requestId))
      throw new Refusal('conflict', `Credits are held for request ${requestId} already`);
    if (!(await this.store.packs.setAside(manager, pack.registrationTxid, millicredits))) return false;
    const { refreshedAtHeight } = (await this.store.packs.byTxid(manager, pack.registrationTxid))!;
    await this.store.holds.add(manager, {
      requestId,
      packTxid: pack.registrationTxid,
      millicredits,
      state: 'held',
      heldAtHeight: refreshedAtHeight ?? 0,
      expiresAtHeight,
      burnTxid: null,
      refusal: null,
    });
    return true;
  }

  refresh(pack: CreditPack): Promise<void> {
    return this.burns.refresh(pack, this.clock.now());
  }

  claimBurn(claim: Claim): Promise<BurnVerdict> {
    return this.claims.claim(claim);
  }

  async release(manager: EntityManager, requestId: string): Promise<void> {
    await this.store.packs.pay(manager);
    const hold = await this.store.holds.of(manager, requestId);
    if (!hold || !(await this.store.holds.change(manager, requestId, 'held', { state: 'released' }))) return;
    await this.store.packs.count(manager, new Map([[hold.packTxid, { held: -hold.millicredits }]]));
  }
}
