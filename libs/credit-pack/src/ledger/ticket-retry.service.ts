import { Injectable, Logger } from '@nestjs/common';
import { Chain } from '#chain';
import { Transactions } from '#database';
import { LedgerStore } from './pack-ledger.store.js';
import { ChainScan } from './pack-scan.service.js';
import { TicketJudge } from './ticket-judge.service.js';
import type { TicketVerdictRow } from './ticket-verdict.entity.js';

const UNDECIDED_PER_SWEEP_MAX = 25;

/** Judges again what could not be decided, the longest untried first. */
@Injectable()
export class TicketRetry {
  private readonly logger = new Logger(TicketRetry.name);
  constructor(
    private readonly chain: Chain,
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
    private readonly judge: TicketJudge,
    private readonly scan: ChainScan,
  ) {}

  /** Bounded and idempotent. Throws ChainUnavailable. */
  async sweep(now: Date): Promise<void> {
    const undecided = await this.transactions.read((manager) => this.store.verdicts.undecided(manager, UNDECIDED_PER_SWEEP_MAX));
    for (const row of undecided) {
      try {
        await this.again(row, now);
      } catch (error) {
        // Throws where the node is down; where it answers, the trouble is this ticket's own and must not hold up the others.
        await this.chain.height();
        this.logger.error(`Ticket ${row.registrationTxid} could not be judged again: ${String(error)}`);
      }
    }
  }

  private async again(row: TicketVerdictRow, now: Date): Promise<void> {
    const place = await this.scan.position('tickets');
    const ticket = await this.chain.contractTicket(row.registrationTxid);
    // Moved by a reorganisation: the scan undoes it and comes past it again.
    if (!place || !ticket || ticket.height !== row.height) return;
    const judged = await this.judge.judge(ticket, row);
    if (!(await this.scan.isOnChain(place))) return;
    await this.transactions.run('ledger: undecided ticket judged again', async (manager) => {
      if (!(await this.scan.goOnFrom(manager, 'tickets', place))) return;
      const isStillOpen = (await this.store.verdicts.byTxid(manager, row.registrationTxid))?.blockHash === row.blockHash;
      if (isStillOpen) await judged.enter(manager, { now, readUpTo: place.height });
    });
  }

  /** Nothing counts as known to be bad any more: every such ticket is judged again. */
  async forgive(): Promise<void> {
    await this.transactions.run('ledger: refused tickets forgiven', (manager) => this.store.verdicts.forgive(manager));
  }
}
