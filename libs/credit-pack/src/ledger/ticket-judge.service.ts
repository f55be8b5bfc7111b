import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Chain, type ContractTicket } from '#chain';
import { readTicket, TicketError } from '#protocol';
import { AgreedPrices } from './agreed-prices.js';
import { TicketBook, type EnteredAt, type ReadableTicket, type TicketPlace } from './ticket-book.service.js';
import { TicketValidation, type TicketVerdict } from './ticket-validation.service.js';

/** A judged ticket, to be entered in one transaction with others. */
export interface JudgedTicket {
  enter(manager: EntityManager, at: EnteredAt): Promise<void>;
}

/** Reads and judges one ticket of the chain, whatever somebody registered. */
@Injectable()
export class TicketJudge {
  private readonly logger = new Logger(TicketJudge.name);
  constructor(
    private readonly chain: Chain,
    private readonly validation: TicketValidation,
    private readonly book: TicketBook,
    private readonly prices: AgreedPrices,
  ) {}

  /** Throws ChainUnavailable where the node is down, and nothing else. */
  async judge(ticket: ContractTicket, place: TicketPlace): Promise<JudgedTicket> {
    let readable: ReadableTicket | undefined;
    let verdict: TicketVerdict;
    try {
      readable = { ticket: readTicket(ticket.data), data: ticket.data };
      verdict = await this.validation.judge(readable.ticket, place.height);
    } catch (error) {
      // Throws where the node is down; where it answers, the trouble is this ticket's own and must not hold up the others.
      const judgedAtHeight = await this.chain.height();
      if (error instanceof TicketError) verdict = { verdict: 'invalid', reasons: [error.message], judgedAtHeight };
      else {
        this.logger.error(`Ticket ${place.registrationTxid} could not be judged: ${String(error)}`);
        verdict = { verdict: 'undecided', reason: 'Could not be judged', judgedAtHeight };
      }
    }
    if (verdict.verdict === 'invalid')
      this.logger.warn(`Ticket ${place.registrationTxid} is no credit pack: ${verdict.reasons.join('; ')}`);
    const broken = readable && (await this.prices.brokenBy(readable.ticket.response));
    return {
      enter: async (manager, at) => {
        await this.book.enter(manager, place, readable, verdict, at);
        if (broken) await this.prices.note(manager, place.registrationTxid, broken, at.now);
      },
    };
  }
}
