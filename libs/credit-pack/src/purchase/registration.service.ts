import { Injectable, Logger } from '@nestjs/common';
import { Chain, ChainRefusal, type ContractTicket } from '#chain';
import { ProcessLocks } from '#database';
import {
  composeTicket,
  CREDIT_PACK_TICKET_SUBTYPE,
  readTicket,
  TicketError,
  type CreditPackPurchaseRequestConfirmation,
  type CreditPackPurchaseRequestResponse,
} from '#protocol';
import { RegisteredTickets } from './registered-tickets.js';

export type Registration =
  /** Mined. `isSame`: what stands there is what was meant. */
  | { readonly state: 'mined'; readonly txid: string; readonly isSame: boolean }
  /** Mined in vain: it is no credit pack, and never will be. */
  | { readonly state: 'void'; readonly txid: string; readonly reason: string }
  /** In the mempool, or mined and not judged yet. */
  | { readonly state: 'waiting'; readonly txid: string }
  /** Another call, perhaps of another process, is at it: look again later. */
  | { readonly state: 'busy' }
  /** Not there: the node said no, or the other supernodes would not accept the ticket. */
  | { readonly state: 'refused'; readonly reason: string };

/** `[txid=t]` of a refusal because the secondary key waits in the mempool (pasteld spec D). */
const IN_MEMPOOL = /in mempool with the same secondary key .*\[txid=([0-9a-f]{64})\]/s;

/**
 * Puts a ticket on the chain once, however often it is asked to (W21, credit-packs spec 5.7).
 * 1. What is there already, by its txid or by its key F(D), is only looked at.
 * 2. A new ticket is judged as every supernode will judge it.
 * 3. It is registered, by one caller at a time over all processes. Where the outcome stays unknown, the next call finds it by its key,
 *    or learns from the node that it waits.
 * The caller stores its intent first. Throws ChainUnavailable when nothing is known.
 */
@Injectable()
export class RegistrationService {
  private readonly logger = new Logger(RegistrationService.name);

  constructor(
    private readonly chain: Chain,
    private readonly tickets: RegisteredTickets,
    private readonly locks: ProcessLocks,
  ) {}

  /** Why a ticket of these would not be accepted; none where it stands already. */
  async faultsOf(
    response: CreditPackPurchaseRequestResponse,
    confirmation: CreditPackPurchaseRequestConfirmation,
  ): Promise<string[]> {
    return this.tickets.faultsOf(response, confirmation);
  }

  /**
   * Looks only: a ticket that is mined or waits, by its key or the txid that it got. Being mined is not enough: of two tickets that
   * claim one burn the first on the chain wins, and two supernodes may have written one each at the same time.
   */
  async find(ticketKey: string, knownTxid: string | null): Promise<Registration | undefined> {
    const known = knownTxid === null ? undefined : await this.chain.contractTicket(knownTxid);
    const found = known ?? (await this.chain.findContractTicket(ticketKey));
    if (!found) return undefined;
    if (found.height < 0) return { state: 'waiting', txid: found.txid };
    const { txid } = found;
    if (!isTicketOf(found, ticketKey)) return { state: 'mined', txid, isSame: false };
    const reasons = await this.tickets.voidReasonsOf(txid);
    if (!reasons) return { state: 'waiting', txid };
    return reasons.length === 0 ? { state: 'mined', txid, isSame: true } : { state: 'void', txid, reason: reasons.join('; ') };
  }

  async register(
    response: CreditPackPurchaseRequestResponse,
    confirmation: CreditPackPurchaseRequestConfirmation,
    knownTxid: string | null,
  ): Promise<Registration> {
    const { json, fullyParsedHash } = composeTicket(response, confirmation);
    const registration = await this.locks.whileAlone(`register ticket ${fullyParsedHash}`, async () => {
      const found = await this.find(fullyParsedHash, knownTxid);
      if (found) return found;
      const faults = await this.faultsOf(response, confirmation);
      if (faults.length > 0) return { state: 'refused', reason: faults.join('; ') } as const;
      return this.send(json, fullyParsedHash);
    });
    return registration ?? { state: 'busy' };
  }

  private async send(json: string, fullyParsedHash: string): Promise<Registration> {
    try {
      const ticket = { data: json, subType: CREDIT_PACK_TICKET_SUBTYPE, secondaryKey: fullyParsedHash };
      const { txid } = await this.chain.registerContractTicket(ticket);
      this.logger.log(`Credit pack ticket ${txid} sent to the chain`);
      return { state: 'waiting', txid };
    } catch (error) {
      if (!(error instanceof ChainRefusal)) throw error;
      const waiting = IN_MEMPOOL.exec(error.message)?.[1];
      if (waiting !== undefined) return { state: 'waiting', txid: waiting };
      return (await this.find(fullyParsedHash, null)) ?? { state: 'refused', reason: error.message };
    }
  }
}

function isTicketOf(ticket: ContractTicket, ticketKey: string): boolean {
  try {
    return readTicket(ticket.data).fullyParsedHash === ticketKey;
  } catch (error) {
    if (error instanceof TicketError) return false;
    throw error;
  }
}
