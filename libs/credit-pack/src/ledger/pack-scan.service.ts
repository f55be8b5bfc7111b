import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Chain, ChainUnavailable, type Block } from '#chain';
import { Transactions } from '#database';
import { LedgerStore } from './pack-ledger.store.js';
import type { Scan } from './ticket-scan.repository.js';
import type { ScanRow } from './ticket-verdict.entity.js';

/** A node that is further behind than any reorganisation goes is reading the chain anew: nothing is undone for its sake. */
const BEHIND_BLOCKS_MAX = 100;
const CHECKPOINTS_PER_READ = 50;

export interface ChainBlock {
  readonly height: number;
  readonly blockHash: string;
}

/** Finds out after a reorganisation what still stands. */
@Injectable()
export class ChainScan {
  constructor(
    private readonly chain: Chain,
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
  ) {}

  /**
   * The place to go on from, null for the beginning. Where the chain has left the blocks that were read, `undo` takes back everything
   * above the fork first, in one transaction with the new place.
   *
   * @throws ChainUnavailable where the node is far behind what was read from it before
   */
  async resume(
    scan: Scan,
    tip: Block,
    undo: (manager: EntityManager, aboveHeight: number) => Promise<void>,
  ): Promise<ScanRow | null> {
    const place = await this.position(scan);
    if (!place || (await this.isOnChain(place))) return place;
    if (tip.height < place.height - BEHIND_BLOCKS_MAX)
      throw new ChainUnavailable('getblock', `at height ${tip.height}, far behind ${place.height}, where it has been before`);
    const fork = await this.forkBelow(place);
    const height = fork?.height ?? -1;
    const isRewound = await this.transactions.run('ledger: scan rewound', async (manager) => {
      if (!(await this.store.scans.goOnFrom(manager, scan, place))) return false;
      await undo(manager, height);
      await this.store.scans.rewind(manager, scan, height);
      return true;
    });
    return isRewound ? fork : this.resume(scan, tip, undo);
  }

  position(scan: Scan): Promise<ScanRow | null> {
    return this.transactions.read((manager) => this.store.scans.position(manager, scan));
  }

  /** False where another process has gone on from there meanwhile; then nothing is to be written. */
  goOnFrom(manager: EntityManager, scan: Scan, place: ScanRow | null): Promise<boolean> {
    return this.store.scans.goOnFrom(manager, scan, place);
  }

  advance(manager: EntityManager, place: ScanRow): Promise<void> {
    return this.store.scans.advance(manager, place);
  }

  /** The place before a look at the chain, as far as it still stands after it. */
  async since(before: ScanRow | null): Promise<ScanRow | null> {
    return before && (await this.isOnChain(before)) ? before : null;
  }

  /**
   * Whether everything that was read after the one place up to the other was read from one chain; to be asked when it has been read.
   * @param before null for the beginning
   */
  async areOnChain(before: ScanRow | null, last: ChainBlock): Promise<boolean> {
    return (!before || (await this.isOnChain(before))) && (await this.isOnChain(last));
  }

  async isOnChain({ height, blockHash }: ChainBlock): Promise<boolean> {
    return (await this.chain.block(height))?.hash === blockHash;
  }

  private async forkBelow(place: ScanRow): Promise<ScanRow | null> {
    for (let below = place.height; ;) {
      const older = await this.transactions.read((manager) =>
        this.store.scans.checkpointsBelow(manager, place.scan, below, CHECKPOINTS_PER_READ),
      );
      if (older.length === 0) return null;
      for (const row of older) if (await this.isOnChain(row)) return row;
      below = older[older.length - 1]!.height;
    }
  }
}
