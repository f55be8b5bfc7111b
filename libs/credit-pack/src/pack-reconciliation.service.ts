import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Transactions } from '#database';
import { LedgerStore } from './pack-ledger.store.js';

export interface Difference {
  readonly packTxid: string | undefined;
  readonly what: string;
  readonly stored: number | string;
  readonly computed: number | string;
}
export interface Reconciliation {
  readonly packs: number;
  readonly differences: readonly Difference[];
}

/** Computes every pack again from its burns and holds. Changes nothing. */
@Injectable()
export class PackReconciliation {
  constructor(
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
  ) {}

  reconcile(): Promise<Reconciliation> {
    return this.transactions.run(async (manager) => {
      const packs = await this.store.packs.all(manager);
      const held = await this.store.holds.heldByPack(manager);
      const burned = await this.store.burns.burnedByPack(manager);
      const differences: Difference[] = [];
      for (const { registrationTxid: packTxid, heldTenths, burnedTenths } of packs) {
        const compare = (what: string, stored: number, computed = 0): void => {
          if (stored !== computed) differences.push({ packTxid, what, stored, computed });
        };
        compare('held tenths', heldTenths, held.get(packTxid));
        compare('burned tenths', burnedTenths, burned.get(packTxid));
      }
      return { packs: packs.length, differences: [...differences, ...(await this.claimDifferences(manager))] };
    });
  }

  /** A claimed burn and its hold name each other, for the same pack and amount. */
  private async claimDifferences(manager: EntityManager): Promise<Difference[]> {
    const paid = [
      ...(await this.store.holds.inState(manager, 'settled')),
      ...(await this.store.holds.inState(manager, 'unsettled')),
    ];
    const ofHolds = new Map(
      paid.map((hold) => [hold.requestId, `${hold.packTxid} ${hold.burnTxid} ${hold.tenths} ${hold.state === 'unsettled'}`]),
    );
    const claimed = await this.store.burns.claimed(manager);
    const ofBurns = new Map(
      claimed.map((burn) => [burn.requestId!, `${burn.packTxid} ${burn.txid} ${burn.patoshis} ${burn.isGone}`]),
    );
    return [...new Set([...ofHolds.keys(), ...ofBurns.keys()])].flatMap((requestId) => {
      const [stored, computed] = [ofHolds.get(requestId) ?? 'no hold', ofBurns.get(requestId) ?? 'no burn'];
      return stored === computed ? [] : [{ packTxid: undefined, what: `claim of request ${requestId}`, stored, computed }];
    });
  }
}
