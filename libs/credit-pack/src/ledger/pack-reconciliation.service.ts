import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Transactions } from '#database';
import { millicreditsOfTenths } from '#protocol';
import type { HoldRow, HoldState } from './hold.entity.js';
import { LedgerStore } from './pack-ledger.store.js';
import type { PackRow } from './pack.entity.js';

export interface Difference {
  readonly packTxid: string | undefined;
  readonly what: string;
  readonly stored: number | string;
  readonly computed: number | string;
}
export interface Reconciliation {
  readonly packs: number;
  readonly differences: readonly Difference[];
  /** What a reorganisation froze: no difference, but somebody should know. */
  readonly frozen: readonly Frozen[];
}
/** Credits that wait for a burn or a ticket that has vanished from the chain; in thousandths. */
export interface Frozen {
  readonly packTxid: string;
  /** Absent where the whole pack is frozen. */
  readonly requestId?: string;
  readonly millicredits: number;
}
/** What was set aside for a request, as whoever set it aside can compare it. */
export interface HeldFor {
  readonly requestId: string;
  readonly packTxid: string;
  readonly millicredits: number;
  readonly state: HoldState;
  readonly burnTxid: string | null;
}

/** Computes every pack again from its burns and holds. Changes nothing. */
@Injectable()
export class PackReconciliation {
  constructor(
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
  ) {}

  /** Over any database that has the tables, without a node. */
  static over(transactions: Transactions): PackReconciliation {
    return new PackReconciliation(transactions, LedgerStore.standalone());
  }

  reconcile(): Promise<Reconciliation> {
    return this.transactions.snapshot((manager) => this.reconcileIn(manager));
  }

  /** By request id, those after the given one. */
  holdsAfter(manager: EntityManager, requestId: string, take: number): Promise<HeldFor[]> {
    return this.store.holds.after(manager, requestId, take);
  }

  /** As one part of a larger comparison, in its snapshot. */
  async reconcileIn(manager: EntityManager): Promise<Reconciliation> {
    const packs = await this.store.packs.all(manager);
    const held = await this.store.holds.heldByPack(manager);
    const burned = await this.store.burns.burnedByPack(manager);
    const differences: Difference[] = [];
    for (const { registrationTxid: packTxid, heldMillicredits, burnedMillicredits } of packs) {
      const compare = (what: string, stored: number, computed = 0): void => {
        if (stored !== computed) differences.push({ packTxid, what, stored, computed });
      };
      compare('held millicredits', heldMillicredits, held.get(packTxid));
      compare('burned millicredits', burnedMillicredits, millicreditsOfTenths(burned.get(packTxid) ?? 0));
    }
    return {
      packs: packs.length,
      differences: [...differences, ...(await this.claimDifferences(manager))],
      frozen: [
        ...packs.filter(isFrozen).map(frozenPack),
        ...(await this.store.holds.inState(manager, 'unsettled')).map(frozenHold),
      ],
    };
  }

  /** A claimed burn and its hold name each other, for the same pack and amount; a refused one may be over less, where it overdrew the pack. */
  private async claimDifferences(manager: EntityManager): Promise<Difference[]> {
    const paid = [
      ...(await this.store.holds.inState(manager, 'settled')),
      ...(await this.store.holds.inState(manager, 'unsettled')),
    ];
    const holds = new Map(paid.map((hold) => [hold.requestId, hold]));
    const burns = new Map((await this.store.burns.claimed(manager)).map((burn) => [burn.requestId!, burn]));
    return [...new Set([...holds.keys(), ...burns.keys()])].flatMap((requestId) => {
      const [hold, burn] = [holds.get(requestId), burns.get(requestId)];
      const burned = burn && millicreditsOfTenths(burn.patoshis);
      const isOverdrawn = hold?.refusal != null && burned !== undefined && hold.millicredits < burned;
      const stored = hold ? claimText(hold, hold.burnTxid, hold.millicredits, hold.state === 'unsettled') : 'no hold';
      const computed = burn ? claimText(burn, burn.txid, isOverdrawn ? hold.millicredits : burned!, burn.isGone) : 'no burn';
      return stored === computed ? [] : [{ packTxid: undefined, what: `claim of request ${requestId}`, stored, computed }];
    });
  }
}

const claimText = (of: { packTxid: string | null }, txid: string | null, millicredits: number, isGone: boolean): string =>
  `${of.packTxid} ${txid} ${millicredits} ${isGone}`;
const isFrozen = ({ state, heldMillicredits, burnedMillicredits }: PackRow): boolean =>
  state === 'orphaned' && heldMillicredits + burnedMillicredits > 0;
const frozenPack = (pack: PackRow): Frozen => ({
  packTxid: pack.registrationTxid,
  millicredits: pack.heldMillicredits + pack.burnedMillicredits,
});
const frozenHold = ({ packTxid, requestId, millicredits }: HoldRow): Frozen => ({ packTxid, requestId, millicredits });
