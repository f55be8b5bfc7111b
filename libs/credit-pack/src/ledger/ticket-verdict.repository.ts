import { Injectable } from '@nestjs/common';
import { LessThanOrEqual, MoreThan, type EntityManager } from 'typeorm';
import type { PackKeys } from './pack.repository.js';
import { standsBefore, type ChainPlace } from './pack.rules.js';
import { TicketVerdictRow } from './ticket-verdict.entity.js';

@Injectable()
export class TicketVerdictRepository {
  byTxid(manager: EntityManager, registrationTxid: string): Promise<TicketVerdictRow | null> {
    return manager.findOneBy(TicketVerdictRow, { registrationTxid });
  }

  async put(manager: EntityManager, row: TicketVerdictRow): Promise<void> {
    await manager.upsert(TicketVerdictRow, row, ['registrationTxid']);
  }

  async remove(manager: EntityManager, registrationTxid: string): Promise<void> {
    await manager.delete(TicketVerdictRow, { registrationTxid });
  }

  /** The longest untried. */
  undecided(manager: EntityManager, take: number): Promise<TicketVerdictRow[]> {
    return manager.find(TicketVerdictRow, {
      where: { verdict: 'undecided' },
      order: { judgedAt: 'ASC', height: 'ASC', blockIndex: 'ASC' },
      take,
    });
  }

  /** Whether an undecided ticket that stands earlier on the chain claims one of the keys. */
  async hasEarlierUndecided(manager: EntityManager, keys: PackKeys, place: ChainPlace): Promise<boolean> {
    const verdict = 'undecided';
    const rows = await manager.find(TicketVerdictRow, {
      where: [
        { verdict, purchaseBurnTxid: keys.purchaseBurnTxid },
        { verdict, trackingAddress: keys.trackingAddress },
        { verdict, requestHash: keys.requestHash },
      ],
    });
    return rows.some((row) => standsBefore(row, place));
  }

  undecidedOfBurn(manager: EntityManager, purchaseBurnTxid: string): Promise<TicketVerdictRow | null> {
    return manager.findOneBy(TicketVerdictRow, { verdict: 'undecided', purchaseBurnTxid });
  }

  undecidedOfAddress(manager: EntityManager, trackingAddress: string): Promise<TicketVerdictRow | null> {
    return manager.findOneBy(TicketVerdictRow, { verdict: 'undecided', trackingAddress });
  }

  /** Tickets above the height are gone; those that were judged by what stood above it have to be judged again. */
  async undoAbove(manager: EntityManager, height: number): Promise<void> {
    await manager.delete(TicketVerdictRow, { height: MoreThan(height) });
    await manager.update(
      TicketVerdictRow,
      { verdict: 'bad', height: LessThanOrEqual(height), judgedAtHeight: MoreThan(height) },
      { verdict: 'undecided' },
    );
  }

  /** Nothing is known to be bad any more: every such ticket is judged again. */
  async forgive(manager: EntityManager): Promise<void> {
    await manager.update(TicketVerdictRow, { verdict: 'bad' }, { verdict: 'undecided' });
  }
}
