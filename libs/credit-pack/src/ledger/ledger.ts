import type { Provider, Type } from '@nestjs/common';
import { BurnCounting } from './burn-counting.service.js';
import { BurnPartyRow, UsageBurnRow } from './burn.entity.js';
import { BurnIndex } from './burn-index.service.js';
import { BurnRepository } from './burn.repository.js';
import { HoldClaims } from './hold-claims.service.js';
import { HoldRow } from './hold.entity.js';
import { HoldRepository } from './hold.repository.js';
import { PackRow, PackUserRow } from './pack.entity.js';
import { PackChainAudit } from './pack-chain-audit.service.js';
import { PackLedger } from './pack-ledger.js';
import { PackLedgerScheduler } from './pack-ledger.scheduler.js';
import { DatabasePackLedger } from './pack-ledger.service.js';
import { LedgerStore } from './pack-ledger.store.js';
import { PackReconciliation } from './pack-reconciliation.service.js';
import { PackRepository } from './pack.repository.js';
import { ChainScan } from './pack-scan.service.js';
import { PacksController } from './packs.controller.js';
import { PacksService } from './packs.service.js';
import { RegisteredTickets } from '../purchase/registered-tickets.js';
import { TicketBook } from './ticket-book.service.js';
import { TicketFollower } from './ticket-follower.service.js';
import { TicketIndex } from './ticket-index.service.js';
import { TicketJudge } from './ticket-judge.service.js';
import { IndexedTickets } from './ticket-registered.service.js';
import { TicketRetry } from './ticket-retry.service.js';
import { ScanRepository } from './ticket-scan.repository.js';
import { TicketSupernodes } from './ticket-supernodes.service.js';
import { TicketValidation } from './ticket-validation.service.js';
import { ScanRow, TicketVerdictRow } from './ticket-verdict.entity.js';
import { TicketVerdictRepository } from './ticket-verdict.repository.js';

/** Tables of the ledger: packs, verdicts on tickets, burns, holds, places of the scans. */
export const ledgerEntities = [PackRow, PackUserRow, TicketVerdictRow, ScanRow, UsageBurnRow, BurnPartyRow, HoldRow];

export const ledgerProviders: Provider[] = [
  PackRepository,
  BurnRepository,
  HoldRepository,
  TicketVerdictRepository,
  ScanRepository,
  LedgerStore,
  ChainScan,
  BurnCounting,
  BurnIndex,
  TicketSupernodes,
  TicketValidation,
  TicketBook,
  TicketJudge,
  TicketFollower,
  TicketRetry,
  TicketIndex,
  HoldClaims,
  PacksService,
  PackReconciliation,
  PackChainAudit,
  PackLedgerScheduler,
  { provide: RegisteredTickets, useClass: IndexedTickets },
  { provide: PackLedger, useClass: DatabasePackLedger },
];

export const ledgerControllers: Type[] = [PacksController];
