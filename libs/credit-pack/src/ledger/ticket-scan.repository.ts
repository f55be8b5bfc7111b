import { Injectable } from '@nestjs/common';
import { Between, LessThan, MoreThan, type EntityManager } from 'typeorm';
import { passThrough } from '#database';
import { LEDGER_GATE } from './pack.repository.js';
import { ScanRow } from './ticket-verdict.entity.js';

export type Scan = ScanRow['scan'];
/** Blocks for which a place is remembered; a deeper reorganisation reads everything again. */
const CHECKPOINTS_MAX = 1000;

@Injectable()
export class ScanRepository {
  position(manager: EntityManager, scan: Scan): Promise<ScanRow | null> {
    return manager.findOne(ScanRow, { where: { scan }, order: { height: 'DESC' } });
  }

  /**
   * Lets nobody else write down what stands on the chain, nor what is paid from packs, until the transaction ends; false where another process
   * has gone on from the place meanwhile.
   */
  async goOnFrom(manager: EntityManager, scan: Scan, place: ScanRow | null): Promise<boolean> {
    await passThrough(manager, LEDGER_GATE);
    const now = await this.position(manager, scan);
    return now?.height === place?.height && now?.blockHash === place?.blockHash;
  }

  /**
   * Whether a look at a block may be written down as what stands there. Above the place nothing is decided yet: whoever advances it checks what
   * was written before. At or below it the look must be one since which nothing was undone.
   *
   * @param since the place on the chain when it was looked at
   */
  async vouchesFor(manager: EntityManager, scan: Scan, height: number, since: ScanRow | null): Promise<boolean> {
    const place = await this.position(manager, scan);
    if (!place || height > place.height) return true;
    if (!since || height > since.height) return false;
    return manager.existsBy(ScanRow, { scan, height: since.height, blockHash: since.blockHash });
  }

  /** Newest first. */
  checkpointsBelow(manager: EntityManager, scan: Scan, height: number, take: number): Promise<ScanRow[]> {
    return manager.find(ScanRow, { where: { scan, height: LessThan(height) }, order: { height: 'DESC' }, take });
  }

  async advance(manager: EntityManager, place: ScanRow): Promise<void> {
    await manager.upsert(ScanRow, place, ['scan', 'height']);
    await manager.delete(ScanRow, { scan: place.scan, height: Between(-1, place.height - CHECKPOINTS_MAX) });
  }

  async rewind(manager: EntityManager, scan: Scan, toHeight: number): Promise<void> {
    await manager.delete(ScanRow, { scan, height: MoreThan(toHeight) });
  }
}
