import { Injectable } from '@nestjs/common';
import { In, MoreThan, type EntityManager } from 'typeorm';
import { HoldRow, type HoldState } from './hold.entity.js';

@Injectable()
export class HoldRepository {
  of(manager: EntityManager, requestId: string): Promise<HoldRow | null> {
    return manager.findOneBy(HoldRow, { requestId });
  }

  async add(manager: EntityManager, hold: HoldRow): Promise<void> {
    await manager.insert(HoldRow, hold);
  }

  /** One conditional statement decides; says whether it was in that state. */
  async change(
    manager: EntityManager,
    requestId: string,
    from: HoldState,
    changes: Partial<Pick<HoldRow, 'state' | 'burnTxid' | 'millicredits' | 'refusal'>>,
  ): Promise<boolean> {
    const { affected } = await manager.update(HoldRow, { requestId, state: from }, changes);
    return affected === 1;
  }

  /** The pack's ticket stands under another txid now. */
  async movePack(manager: EntityManager, from: string, to: string): Promise<void> {
    await manager.update(HoldRow, { packTxid: from }, { packTxid: to });
  }

  /** What is set aside for each pack. */
  async heldByPack(manager: EntityManager): Promise<Map<string, number>> {
    const rows = await manager
      .createQueryBuilder(HoldRow, 'hold')
      .select('hold.packTxid', 'pack')
      .addSelect('SUM(hold.millicredits)', 'millicredits')
      .where({ state: In(['held', 'unsettled'] satisfies HoldState[]) })
      .groupBy('hold.packTxid')
      .getRawMany<{ pack: string; millicredits: string | number }>();
    return new Map(rows.map(({ pack, millicredits }) => [pack, Number(millicredits)]));
  }

  after(manager: EntityManager, requestId: string, take: number): Promise<HoldRow[]> {
    return manager.find(HoldRow, { where: { requestId: MoreThan(requestId) }, order: { requestId: 'ASC' }, take });
  }

  inState(manager: EntityManager, state: HoldState): Promise<HoldRow[]> {
    return manager.find(HoldRow, { where: { state } });
  }
}
