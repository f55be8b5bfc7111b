import { Injectable } from '@nestjs/common';
import { Chain } from '#chain';
import { Transactions } from '#database';
import { LedgerStore } from './pack-ledger.store.js';
import { TicketJudge } from './ticket-judge.service.js';

const UNDECIDED_PER_SWEEP_MAX = 25;

/** Judges again what could not be decided, the longest untried first. */
@Injectable()
export class TicketRetry {
  constructor(
    private readonly chain: Chain,
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
    private readonly judge: TicketJudge,
  ) {}

  /** Bounded and idempotent. Throws ChainUnavailable. */
  async sweep(now: Date): Promise<void> {
    const undecided = await this.transactions.read((manager) => this.store.verdicts.undecided(manager, UNDECIDED_PER_SWEEP_MAX));
    for (const row of undecided) {
      const ticket = await this.chain.contractTicket(row.registrationTxid);
      // Moved by a reorganisation: the scan undoes it and comes past it again.
      if (!ticket || ticket.height !== row.height) continue;
      const judged = await this.judge.judge(ticket, row);
      await this.transactions.run(async (manager) => {
        const isStillOpen = (await this.store.verdicts.byTxid(manager, row.registrationTxid))?.blockHash === row.blockHash;
        if (isStillOpen) await judged.enter(manager, now);
      });
    }
  }

  /** Nothing counts as known to be bad any more: every such ticket is judged again. */
  async forgive(): Promise<void> {
    await this.transactions.run((manager) => this.store.verdicts.forgive(manager));
  }
}
