import { Injectable } from '@nestjs/common';
import { Chain, type Block, type ContractTicket } from '#chain';
import { PurchaseSettings } from '#config';
import { Transactions } from '#database';
import { CREDIT_PACK_TICKET_SUBTYPE } from '#protocol';
import { ChainScan } from './pack-scan.service.js';
import type { ScanRow } from './ticket-verdict.entity.js';
import { TicketBook } from './ticket-book.service.js';
import { TicketJudge, type JudgedTicket } from './ticket-judge.service.js';

/** A sweep ends with the block in which it has judged so many. */
const TICKETS_PER_SWEEP_MAX = 50;

/**
 * Follows the credit pack tickets of the chain (credit-packs spec 5.9 to 5.11).
 *
 * 1. After a reorganisation, undo what stood above the fork.
 * 2. List the tickets above the place that was reached.
 * 3. Judge them once each, block by block and in chain order, for of two that claim one burn the first on the chain wins. All of a block
 *    and the new place are written in one transaction, so that a sweep may end anywhere.
 */
@Injectable()
export class TicketFollower {
  constructor(
    private readonly chain: Chain,
    private readonly transactions: Transactions,
    private readonly scan: ChainScan,
    private readonly judge: TicketJudge,
    private readonly book: TicketBook,
    private readonly settings: PurchaseSettings,
  ) {}

  /** Bounded and idempotent; says whether the tip was reached. Throws ChainUnavailable; what was read until then stays. */
  async sweep(now: Date): Promise<boolean> {
    const tip = await this.chain.bestBlock();
    let place = await this.scan.resume('tickets', tip, (manager, height) => this.book.undoAbove(manager, height, now));
    if (place?.height === tip.height) return true;
    const from = place ? place.height + 1 : this.settings.ticketScanHeight;
    const listed = await this.chain.contractTickets(CREDIT_PACK_TICKET_SUBTYPE, from);
    const blocks = byHeight(listed.filter(({ height }) => height >= from && height <= tip.height));
    let judged = 0;
    for (const [height, tickets] of blocks) {
      if (judged >= TICKETS_PER_SWEEP_MAX) return false;
      const reached = await this.readBlock(place, height, tickets, now);
      if (!reached) return false;
      place = reached;
      judged += tickets.length;
    }
    return place?.height === tip.height || (await this.reach(place, tip, [], now)) !== undefined;
  }

  /** Undefined where the chain has moved since the tickets were listed, or another process has read on: the next sweep sees it anew. */
  private async readBlock(
    before: ScanRow | null,
    height: number,
    tickets: readonly ContractTicket[],
    now: Date,
  ): Promise<ScanRow | undefined> {
    const block = await this.chain.block(height);
    if (!block || tickets.some(({ txid }) => !block.txids.includes(txid))) return undefined;
    const judged: JudgedTicket[] = [];
    for (const ticket of tickets) {
      const place = {
        registrationTxid: ticket.txid,
        height,
        blockIndex: block.txids.indexOf(ticket.txid),
        blockHash: block.hash,
      };
      judged.push(await this.judge.judge(ticket, place));
    }
    return this.reach(before, block, judged, now);
  }

  private async reach(
    before: ScanRow | null,
    { height, hash: blockHash }: Block,
    judged: readonly JudgedTicket[],
    now: Date,
  ): Promise<ScanRow | undefined> {
    const place = { scan: 'tickets', height, blockHash, readAt: now.getTime() } as const;
    if (!(await this.scan.areOnChain(before, place))) return undefined;
    const isFirst = await this.transactions.run('ledger: tickets of a block stored', async (manager) => {
      if (!(await this.scan.goOnFrom(manager, 'tickets', before))) return false;
      for (const ticket of judged) await ticket.enter(manager, { now, readUpTo: height });
      await this.scan.advance(manager, place);
      return true;
    });
    return isFirst ? place : undefined;
  }
}

/** Lowest first; the order within a block is kept. */
function byHeight(tickets: readonly ContractTicket[]): [height: number, tickets: ContractTicket[]][] {
  const blocks = new Map<number, ContractTicket[]>();
  for (const ticket of tickets) blocks.set(ticket.height, [...(blocks.get(ticket.height) ?? []), ticket]);
  return [...blocks].sort(([a], [b]) => a - b);
}
