import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { millicreditsOfTenths } from '#protocol';
import type { UsageBurnRow } from './burn.entity.js';
import type { Burn } from './burn.rules.js';
import type { HoldRow } from './hold.entity.js';
import { LedgerStore } from './pack-ledger.store.js';
import type { CounterChange } from './pack.repository.js';

/** A burn as the chain shows it now. */
export interface BurnSighting {
  readonly txid: string;
  readonly burn: Burn;
  readonly mined: { readonly height: number; readonly blockHash: string } | undefined;
  /** Whether its block may be written down; it waits otherwise. */
  readonly isVouchedFor: boolean;
  readonly tip: number;
}
/** Thrown to roll back a claim that lost: to somebody else, for ever, or until more is known. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
  constructor(
    readonly outcome: 'taken' | 'undecided' | 'refused',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Which burn counts for which pack. Every method runs in the caller's transaction, and one conditional statement on the burn decides
 * before a counter moves, so that a burn counts once whoever sees it first.
 *
 * - A claimed burn counts for the pack of its request, for ever.
 * - Another one counts for the first pack on the chain whose tracking address is among its inputs; change does not matter, or a
 *   stranger could drain a pack with dust.
 * - The purchase burn of a pack is never usage.
 */
@Injectable()
export class BurnCounting {
  private readonly logger = new Logger(BurnCounting.name);

  constructor(private readonly store: LedgerStore) {}

  /** Takes note of a burn; the same sight twice changes nothing. */
  async record(manager: EntityManager, { txid, burn, mined, isVouchedFor, tip }: BurnSighting): Promise<void> {
    const { burns } = this.store;
    if (burn.usage === 0) return;
    const block = isVouchedFor ? mined : undefined;
    await burns.add(manager, {
      txid,
      patoshis: burn.usage,
      height: block?.height ?? null,
      blockHash: block?.blockHash ?? null,
      seenAtHeight: Math.min(tip, mined?.height ?? tip),
      knownAtHeight: tip,
      packTxid: null,
      requestId: null,
      isGone: false,
    });
    await burns.addInputs(manager, txid, burn.inputAddresses);
    if (block) await burns.mined(manager, txid, block);
    else await burns.stillWaiting(manager, txid, tip);
    await this.comeBack(manager, txid);
    const row = await burns.byTxid(manager, txid);
    if (row && row.requestId === null) await this.assign(manager, row);
  }

  /** Gives a burn that nobody claimed to the pack that it counts for, and takes it from the one that it counted for. */
  async assign(manager: EntityManager, burn: UsageBurnRow): Promise<void> {
    const owner = await this.ownerOf(manager, burn);
    if (owner === burn.packTxid || !(await this.store.burns.give(manager, burn, owner))) return;
    await this.move(manager, burn.patoshis, burn.packTxid, owner);
  }

  /**
   * Makes a burn the one of a request, and settles its hold with what the pack bore of it.
   * @param refusal why it does not pay for the request though it is the owner's, null where it does
   * @throws ClaimLost to undo the transaction
   */
  async claim(manager: EntityManager, hold: HoldRow, txid: string, refusal: string | null): Promise<void> {
    const { burns, holds, packs } = this.store;
    if (await packs.standingOfBurn(manager, txid)) throw new ClaimLost('refused', 'The transaction has paid for a credit pack');
    if (!(await burns.claim(manager, txid, hold.requestId)))
      throw new ClaimLost('taken', 'The transaction has paid for another request already');
    const burn = (await burns.byTxid(manager, txid))!;
    if (refusal !== null && burn.height === null)
      throw new ClaimLost('undecided', 'A waiting transaction can still be taken back');
    const burned = millicreditsOfTenths(burn.patoshis);
    const settled = { state: 'settled', burnTxid: txid, millicredits: burned, refusal } as const;
    if (!(await holds.change(manager, hold.requestId, hold.state, settled)))
      throw new ClaimLost('undecided', 'The hold has changed meanwhile');
    if (burn.packTxid !== hold.packTxid) await burns.setPack(manager, txid, hold.packTxid);
    await this.move(manager, burn.patoshis, burn.packTxid, hold.packTxid, hold.state === 'held' ? -hold.millicredits : 0);
    const millicredits = await this.borneOf(manager, hold.packTxid, burn);
    if (millicredits === burned) return;
    const overdrawn = `The pack was used up before this transaction: it bore ${millicredits} of ${burned} thousandths of a credit`;
    await holds.change(manager, hold.requestId, 'settled', { millicredits, refusal: refusal ?? overdrawn });
  }

  /** The node knows a waiting burn no more. */
  async vanish(manager: EntityManager, burn: UsageBurnRow): Promise<void> {
    if (burn.requestId === null) {
      if (await this.store.burns.forget(manager, burn)) await this.move(manager, burn.patoshis, burn.packTxid, null);
      return;
    }
    if (!(await this.store.burns.gone(manager, burn))) return;
    await this.resettle(manager, burn, 'settled', 'unsettled', 1);
    this.logger.warn(
      `The burn ${burn.txid} of request ${burn.requestId} has vanished: its credits are frozen in pack ${burn.packTxid}`,
    );
  }

  /** A claimed burn that had vanished is there again. */
  private async comeBack(manager: EntityManager, txid: string): Promise<void> {
    if (!(await this.store.burns.back(manager, txid))) return;
    await this.resettle(manager, (await this.store.burns.byTxid(manager, txid))!, 'unsettled', 'settled', -1);
  }

  private async resettle(
    manager: EntityManager,
    burn: UsageBurnRow,
    from: 'settled' | 'unsettled',
    to: 'settled' | 'unsettled',
    sign: 1 | -1,
  ): Promise<void> {
    const hold = await this.store.holds.of(manager, burn.requestId!);
    if (!hold || !(await this.store.holds.change(manager, hold.requestId, from, { state: to })))
      throw new Error(`The hold of request ${burn.requestId} is not ${from}, though its burn says so`);
    const [held, burned] = [sign * hold.millicredits, -sign * millicreditsOfTenths(burn.patoshis)];
    await this.store.packs.count(manager, new Map([[burn.packTxid!, { held, burned }]]));
  }

  private async ownerOf(manager: EntityManager, burn: UsageBurnRow): Promise<string | null> {
    const { burns, packs } = this.store;
    if (await packs.standingOfBurn(manager, burn.txid)) return null;
    const spenders = await packs.standingTrackedBy(manager, await burns.inputAddresses(manager, burn.txid));
    return spenders.find((pack) => burn.height === null || burn.height >= pack.purchaseBurnHeight)?.registrationTxid ?? null;
  }

  private async move(manager: EntityManager, patoshis: number, from: string | null, to: string | null, held = 0): Promise<void> {
    const changes = new Map<string, CounterChange>();
    const amount = millicreditsOfTenths(patoshis);
    if (from !== null && from !== to) changes.set(from, { burned: -amount });
    if (to !== null) changes.set(to, { burned: from === to ? 0 : amount, held });
    await this.store.packs.count(manager, changes);
  }

  /**
   * How much of a burn the pack still had, in thousandths of a credit. A pack spent at several supernodes at once may burn more than it ever
   * held. Then the order on the chain decides, the same everywhere, and a burn that is not on the chain yet has to wait for it.
   */
  private async borneOf(manager: EntityManager, packTxid: string, burn: UsageBurnRow): Promise<number> {
    const burned = millicreditsOfTenths(burn.patoshis);
    const pack = (await this.store.packs.byTxid(manager, packTxid))!;
    if (pack.burnedMillicredits <= pack.initialMillicredits) return burned;
    if (burn.height === null)
      throw new ClaimLost('undecided', 'More is burned than the pack holds; the order on the chain will decide');
    const patoshis = await this.store.burns.minedUpTo(manager, packTxid, { txid: burn.txid, height: burn.height });
    const borne = Math.min(burned, burned + pack.initialMillicredits - millicreditsOfTenths(patoshis));
    if (borne <= 0) throw new ClaimLost('refused', 'The pack was used up before this transaction');
    return borne;
  }
}
