import { Injectable } from '@nestjs/common';
import { Chain } from '#chain';
import { Transactions } from '#database';
import type { CreditPackPurchaseRequestConfirmation, CreditPackPurchaseRequestResponse } from '#protocol';
import { BurnIndex } from './burn-index.service.js';
import { LedgerStore } from './pack-ledger.store.js';
import { RegisteredTickets, type NamingTicket } from '../purchase/registered-tickets.js';
import { TicketIndex } from './ticket-index.service.js';
import { TicketValidation } from './ticket-validation.service.js';

/** What the sale of packs asks of the ledger. Tickets that are not decided yet count: they may turn out to be good. */
@Injectable()
export class IndexedTickets extends RegisteredTickets {
  constructor(
    private readonly chain: Chain,
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
    private readonly index: TicketIndex,
    private readonly validation: TicketValidation,
    private readonly burns: BurnIndex,
  ) {
    super();
  }

  async requestUsingAddress(trackingAddress: string): Promise<string | undefined> {
    await this.index.catchUp();
    return this.transactions.read(async (manager) => {
      const pack = await this.store.packs.ofAddress(manager, trackingAddress);
      return (pack ?? (await this.store.verdicts.undecidedOfAddress(manager, trackingAddress)))?.requestHash ?? undefined;
    });
  }

  async ticketNamingBurn(burnTxid: string): Promise<NamingTicket | undefined> {
    await this.index.catchUp();
    return this.transactions.read(async (manager) => {
      const pack = await this.store.packs.ofBurn(manager, burnTxid);
      if (pack) return { key: pack.fullyParsedHash, isDecided: true };
      const key = (await this.store.verdicts.undecidedOfBurn(manager, burnTxid))?.fullyParsedHash;
      return key == null ? undefined : { key, isDecided: false };
    });
  }

  async voidReasonsOf(registrationTxid: string): Promise<readonly string[] | undefined> {
    await this.index.catchUp();
    return this.transactions.read(async (manager) => {
      const pack = await this.store.packs.byTxid(manager, registrationTxid);
      if (pack?.state === 'standing') return [];
      const row = await this.store.verdicts.byTxid(manager, registrationTxid);
      return row?.verdict === 'bad' ? (JSON.parse(row.reasons) as string[]) : undefined;
    });
  }

  async faultsOf(
    response: CreditPackPurchaseRequestResponse,
    confirmation?: CreditPackPurchaseRequestConfirmation,
  ): Promise<string[]> {
    if (!confirmation) return this.validation.plannedFaults(response);
    const verdict = await this.validation.judge({ response, confirmation }, await this.chain.height());
    const isUsage = await this.burns.isClaimed(confirmation.txid_of_credit_purchase_burn_transaction);
    return [
      ...(verdict.verdict === 'invalid' ? verdict.reasons : verdict.verdict === 'undecided' ? [verdict.reason] : []),
      ...(isUsage ? ['The burn transaction has paid for a request'] : []),
    ];
  }
}
