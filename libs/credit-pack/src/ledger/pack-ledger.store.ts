import { Injectable } from '@nestjs/common';
import { BurnRepository } from './burn.repository.js';
import { HoldRepository } from './hold.repository.js';
import { PackRepository } from './pack.repository.js';
import { ScanRepository } from './ticket-scan.repository.js';
import { TicketVerdictRepository } from './ticket-verdict.repository.js';

/** The tables of the ledger, which change together. */
@Injectable()
export class LedgerStore {
  constructor(
    readonly packs: PackRepository,
    readonly burns: BurnRepository,
    readonly holds: HoldRepository,
    readonly verdicts: TicketVerdictRepository,
    readonly scans: ScanRepository,
  ) {}

  /** For programs that read the tables without a node. */
  static standalone(): LedgerStore {
    return new LedgerStore(
      new PackRepository(),
      new BurnRepository(),
      new HoldRepository(),
      new TicketVerdictRepository(),
      new ScanRepository(),
    );
  }
}
