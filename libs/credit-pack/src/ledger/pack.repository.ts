import { Injectable } from '@nestjs/common';
import { In, LessThanOrEqual, MoreThan, Not, type EntityManager } from 'typeorm';
import { passThrough } from '#database';
import { isPastelId } from '#protocol';
import { PackRow, PackUserRow, type PackState } from './pack.entity.js';
import { standsBefore } from './pack.rules.js';

/** Changes of a pack's counters, in millicredits; either sign. */
export interface CounterChange {
  readonly held?: number;
  readonly burned?: number;
}
const ADDRESSES_PER_QUERY = 500;

export interface PackKeys {
  readonly purchaseBurnTxid: string;
  readonly trackingAddress: string;
  readonly requestHash: string;
}

/** Who changes packs because of the chain passes it alone, who pays from them passes together. */
export const LEDGER_GATE = 'ledger';

@Injectable()
export class PackRepository {
  /** To be taken by whoever changes burns, holds and packs in one transaction, before the first of them (docs/money.md). */
  pay(manager: EntityManager): Promise<void> {
    return passThrough(manager, LEDGER_GATE, 'shared');
  }

  byTxid(manager: EntityManager, registrationTxid: string): Promise<PackRow | null> {
    return manager.findOneBy(PackRow, { registrationTxid });
  }

  /** By registration txid or by the txid of the purchase burn. */
  standing(manager: EntityManager, txid: string): Promise<PackRow | null> {
    return manager.findOneBy(PackRow, [
      { registrationTxid: txid, state: 'standing' },
      { purchaseBurnTxid: txid, state: 'standing' },
    ]);
  }

  standingOfBurn(manager: EntityManager, purchaseBurnTxid: string): Promise<PackRow | null> {
    return manager.findOneBy(PackRow, { purchaseBurnTxid, state: 'standing' });
  }

  /** Also one that a reorganisation has taken away: it will come back. */
  ofAddress(manager: EntityManager, trackingAddress: string): Promise<PackRow | null> {
    return manager.findOneBy(PackRow, { trackingAddress, state: In(['standing', 'orphaned'] satisfies PackState[]) });
  }

  /** The same. */
  ofBurn(manager: EntityManager, purchaseBurnTxid: string): Promise<PackRow | null> {
    return manager.findOneBy(PackRow, { purchaseBurnTxid, state: In(['standing', 'orphaned'] satisfies PackState[]) });
  }

  /** Whose tracking address is one of these, in chain order. */
  async standingTrackedBy(manager: EntityManager, addresses: readonly string[]): Promise<PackRow[]> {
    const packs: PackRow[] = [];
    for (let at = 0; at < addresses.length; at += ADDRESSES_PER_QUERY) {
      const some = addresses.slice(at, at + ADDRESSES_PER_QUERY);
      packs.push(...(await manager.findBy(PackRow, { trackingAddress: In(some), state: 'standing' })));
    }
    return packs.sort((a, b) => (standsBefore(a, b) ? -1 : 1));
  }

  /** The same purchase under another ticket: written again after a reorganisation, or by another supernode. */
  async otherTicketsOf(manager: EntityManager, { registrationTxid, ...pack }: PackRow): Promise<PackRow[]> {
    const { purchaseBurnTxid, trackingAddress, requestHash } = pack;
    return manager.findBy(PackRow, { purchaseBurnTxid, trackingAddress, requestHash, registrationTxid: Not(registrationTxid) });
  }

  async giveUp(manager: EntityManager, registrationTxid: string): Promise<void> {
    await manager.update(PackRow, { registrationTxid }, { state: 'superseded' });
  }

  /** Standing packs that claim one of the keys. */
  rivalsOf(manager: EntityManager, keys: PackKeys): Promise<PackRow[]> {
    const { purchaseBurnTxid, trackingAddress, requestHash } = keys;
    return manager.find(PackRow, {
      where: [
        { purchaseBurnTxid, state: 'standing' },
        { trackingAddress, state: 'standing' },
        { requestHash, state: 'standing' },
      ],
    });
  }

  /** In chain order; exact membership. */
  spendableBy(manager: EntityManager, pastelId: string, take: number): Promise<PackRow[]> {
    return manager
      .createQueryBuilder(PackRow, 'pack')
      .innerJoin(PackUserRow, 'spender', 'spender."registrationTxid" = pack."registrationTxid"')
      .where('spender."pastelId" = :pastelId', { pastelId })
      .andWhere(`pack."state" = 'standing'`)
      .orderBy('pack.height', 'ASC')
      .addOrderBy('pack.blockIndex', 'ASC')
      .take(take)
      .getMany();
  }

  /** A new row, or the old one at its new place on the chain; its counters are kept. */
  async stand(manager: EntityManager, pack: PackRow): Promise<void> {
    const { height, blockIndex, blockHash, purchaseBurnHeight, registrationTxid } = pack;
    const moved = await manager.update(
      PackRow,
      { registrationTxid },
      { state: 'standing', height, blockIndex, blockHash, purchaseBurnHeight },
    );
    if (moved.affected === 1) return;
    await manager.insert(PackRow, pack);
    // A ticket may name anything; what is no PastelID spends nothing, and may be no text that the database takes.
    const users = new Set((JSON.parse(pack.authorisedPastelIds) as string[]).filter(isPastelId));
    for (const pastelId of users) await manager.insert(PackUserRow, { pastelId, registrationTxid });
  }

  async leave(manager: EntityManager, registrationTxid: string, state: Exclude<PackState, 'standing'>): Promise<void> {
    await manager.update(PackRow, { registrationTxid, state: 'standing' }, { state });
  }

  /** Standing packs of which the ticket or the purchase burn is above the height. */
  async standingAbove(manager: EntityManager, height: number): Promise<PackRow[]> {
    return manager.find(PackRow, {
      where: [
        { height: MoreThan(height), state: 'standing' },
        { height: LessThanOrEqual(height), purchaseBurnHeight: MoreThan(height), state: 'standing' },
      ],
    });
  }

  /** Where the search for usage burns has to begin; null without packs. */
  async firstPurchaseBurnHeight(manager: EntityManager): Promise<number | null> {
    return manager.minimum(PackRow, 'purchaseBurnHeight').then((height) => (height === null ? null : Number(height)));
  }

  /** One conditional statement decides whether the credits are there. */
  async setAside(manager: EntityManager, registrationTxid: string, millicredits: number): Promise<boolean> {
    const { affected } = await manager
      .createQueryBuilder()
      .update(PackRow)
      .set({ heldMillicredits: () => '"heldMillicredits" + :millicredits' })
      .where('"registrationTxid" = :registrationTxid', { registrationTxid })
      .andWhere(`"state" = 'standing'`)
      .andWhere('"heldMillicredits" + "burnedMillicredits" + :millicredits <= "initialMillicredits"')
      .setParameters({ millicredits })
      .execute();
    return affected === 1;
  }

  /** In the order of the keys, so that two transactions never wait for each other. */
  async count(manager: EntityManager, changes: ReadonlyMap<string, CounterChange>): Promise<void> {
    for (const [registrationTxid, { held = 0, burned = 0 }] of [...changes].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (held === 0 && burned === 0) continue;
      const { affected } = await manager
        .createQueryBuilder()
        .update(PackRow)
        .set({ heldMillicredits: () => '"heldMillicredits" + :held', burnedMillicredits: () => '"burnedMillicredits" + :burned' })
        .where('"registrationTxid" = :registrationTxid', { registrationTxid })
        .setParameters({ held, burned })
        .execute();
      if (affected !== 1) throw new Error(`No pack ${registrationTxid} to count on`);
    }
  }

  async markRefreshed(manager: EntityManager, registrationTxid: string, at: { height: number; time: number }): Promise<void> {
    await manager.update(PackRow, { registrationTxid }, { refreshedAtHeight: at.height, refreshedAt: at.time });
  }

  all(manager: EntityManager): Promise<PackRow[]> {
    return manager.find(PackRow, { order: { registrationTxid: 'ASC' } });
  }
}
