import { Module } from '@nestjs/common';
import type { Entity } from '#database';
import { ReputationModule } from '#reputation';
import { CreditPackSweeps } from './credit-pack-sweeps.service.js';
import { ledgerControllers, ledgerEntities, ledgerProviders } from './ledger/ledger.js';
import { PackLedger } from './ledger/pack-ledger.js';
import { PackChainAudit } from './ledger/pack-chain-audit.service.js';
import { PackReconciliation } from './ledger/pack-reconciliation.service.js';
import { purchaseControllers, purchaseEntities, purchaseProviders } from './purchase/purchase.js';

/** Every table of the module. */
export const creditPackEntities: readonly Entity[] = [...purchaseEntities, ...ledgerEntities];

/** Sells credit packs, and knows what each is still worth. The schedulers need `ScheduleModule.forRoot()` at the root. */
@Module({
  imports: [ReputationModule],
  controllers: [...purchaseControllers, ...ledgerControllers],
  providers: [...purchaseProviders, ...ledgerProviders, CreditPackSweeps],
  exports: [PackLedger, PackReconciliation, PackChainAudit, CreditPackSweeps],
})
export class CreditPackModule {}
