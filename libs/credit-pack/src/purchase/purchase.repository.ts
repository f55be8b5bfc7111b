import { Injectable } from '@nestjs/common';
import { In, IsNull, LessThan, MoreThan, MoreThanOrEqual, Not } from 'typeorm';
import { isUniqueViolation, Transactions } from '#database';
import { AnnouncedOffer } from '../peers/announced-offer.entity.js';
import { OutgoingAnnouncement } from './outbox.entity.js';
import { Purchase, RefusedRequest } from './purchase.entity.js';
import { HOLDS_ADDRESS, IN_PROGRESS, maySucceed, OPEN, type PurchaseState } from './purchase-state.rules.js';

/** `changed`: somebody else moved the purchase first. `taken`: a unique promise (total, address, burn) is given to another purchase. */
export type Move = 'moved' | 'changed' | 'taken';
/** Columns that a step fills in; the promises follow from the state. */
export type Changes = Partial<Omit<Purchase, 'requestHash' | 'state' | 'openTotalPatoshis' | 'openAddress' | 'openSlot'>>;

const DEAD_ENDS: readonly PurchaseState[] = ['rejected', 'declined', 'lapsed', 'terminated'];

const STEP_NAMES = {
  declined: 'purchase: declined',
  lapsed: 'purchase: lapsed',
  accepted: 'purchase: accepted',
  terminated: 'purchase: terminated',
  agreed: 'purchase: agreed',
  overdue: 'purchase: overdue',
  claimed: 'purchase: burn claimed',
  'burn-confirmed': 'purchase: burn confirmed',
  registering: 'purchase: registration begun',
  completed: 'purchase: completed',
  failed: 'purchase: failed',
} as const satisfies Record<Exclude<PurchaseState, 'quoted' | 'rejected'>, string>;

/** Purchases at this node. */
@Injectable()
export class PurchaseRepository {
  constructor(private readonly transactions: Transactions) {}

  find(requestHash: string): Promise<Purchase | null> {
    return this.transactions.read((manager) => manager.findOneBy(Purchase, { requestHash }));
  }

  /** False when the request, the total or the place among the buyer's offers is there already. */
  open(purchase: Purchase): Promise<boolean> {
    return isFree(this.transactions.run('purchase: quote stored', (manager) => manager.insert(Purchase, purchase)));
  }

  /** One legal step with everything that it changes and owes to others. */
  async move(
    purchase: Purchase,
    to: keyof typeof STEP_NAMES,
    changes: Changes,
    announcements: readonly OutgoingAnnouncement[] = [],
  ): Promise<Move> {
    const { requestHash, state } = purchase;
    if (!maySucceed(state, to)) throw new Error(`A purchase does not go from ${state} to ${to}`);
    const promises = {
      ...(!OPEN.includes(to) && { openTotalPatoshis: null, openSlot: null }),
      ...(to === 'accepted' && { openAddress: purchase.trackingAddress }),
      ...(!HOLDS_ADDRESS.includes(to) && { openAddress: null }),
    };
    let isMoved = false;
    const moving = this.transactions.run(STEP_NAMES[to], async (manager) => {
      const { affected } = await manager.update(Purchase, { requestHash, state }, { ...changes, ...promises, state: to });
      isMoved = affected === 1;
      if (isMoved && announcements.length > 0) await manager.insert(OutgoingAnnouncement, [...announcements]);
    });
    return !(await isFree(moving)) ? 'taken' : isMoved ? 'moved' : 'changed';
  }

  /** Something learned that is no step of its own. */
  async note({ requestHash, state }: Purchase, changes: Changes): Promise<void> {
    await this.transactions.run('purchase: note stored', (manager) => manager.update(Purchase, { requestHash, state }, changes));
  }

  async refuse(refused: RefusedRequest): Promise<void> {
    await this.transactions.run('purchase: rejection stored', async (manager) => {
      if (!(await manager.existsBy(RefusedRequest, { rejectionHash: refused.rejectionHash })))
        await manager.insert(RefusedRequest, refused);
    });
  }

  /** Places among the buyer's open offers that are taken. */
  async openSlotsOf(pastelId: string): Promise<ReadonlySet<string>> {
    const rows = await this.transactions.reader.find(Purchase, {
      select: { openSlot: true },
      where: { pastelId, openSlot: Not(IsNull()) },
    });
    return new Set(rows.map(({ openSlot }) => openSlot!));
  }

  /**
   * The request hash of another purchase that the address is promised to: one that was agreed to here, anybody else's open quote or
   * offer, or one at another supernode that the same buyer has paid. An unpaid one there does not bind the buyer: its seller may have
   * made the offer useless, or be gone.
   */
  async holderOfAddress(
    address: string,
    by: { requestHash: string; pastelId: string },
    tip: number,
  ): Promise<string | undefined> {
    const { reader } = this.transactions;
    const other = Not(by.requestHash);
    const own = await reader.findOne(Purchase, {
      select: { requestHash: true },
      where: [
        { requestHash: other, openAddress: address },
        { requestHash: other, trackingAddress: address, state: 'quoted', pastelId: Not(by.pastelId) },
      ],
    });
    if (own) return own.requestHash;
    const payable = { requestHash: other, trackingAddress: address, lastBurnHeight: MoreThanOrEqual(tip) };
    const announced = await reader.findOne(AnnouncedOffer, {
      select: { responseHash: true, requestHash: true },
      where: [
        { ...payable, pastelId: Not(by.pastelId) },
        { ...payable, confirmation: Not(IsNull()) },
      ],
    });
    return announced?.requestHash;
  }

  /** Whether a peer's offer that can still be paid asks for exactly this. */
  isTotalAnnounced(patoshis: number, tip: number): Promise<boolean> {
    return this.transactions.reader.existsBy(AnnouncedOffer, { totalPatoshis: patoshis, lastBurnHeight: MoreThanOrEqual(tip) });
  }

  /** Any offer, own or announced, open or past, but that of the one request. */
  async isTotalOfAnother(patoshis: number, requestHash: string): Promise<boolean> {
    const { reader } = this.transactions;
    const where = { totalPatoshis: patoshis, requestHash: Not(requestHash) };
    return (
      (await reader.existsBy(Purchase, { ...where, state: Not('rejected') })) || (await reader.existsBy(AnnouncedOffer, where))
    );
  }

  longestUntouchedInProgress(limit: number): Promise<Purchase[]> {
    return this.inOrderOfTouch({ state: In([...IN_PROGRESS]) }, limit);
  }
  /** Completed ones that began after the first time and were last looked at before the other. */
  completedSince(begun: number, touchedBefore: number, limit: number): Promise<Purchase[]> {
    return this.inOrderOfTouch({ state: 'completed', createdAt: MoreThan(begun), touchedAt: LessThan(touchedBefore) }, limit);
  }
  expired(now: number, limit: number): Promise<Purchase[]> {
    return this.inOrderOfTouch({ state: In(['quoted', 'accepted']), expiresAt: LessThan(now) }, limit);
  }
  pastBurnWindow(tip: number, limit: number): Promise<Purchase[]> {
    return this.inOrderOfTouch({ state: 'agreed', lastBurnHeight: LessThan(tip) }, limit);
  }
  private inOrderOfTouch(where: object, take: number): Promise<Purchase[]> {
    return this.transactions.reader.find(Purchase, { where, order: { touchedAt: 'ASC' }, take });
  }

  /** Forgets what came to nothing. */
  async purge(before: number, limit: number): Promise<void> {
    await this.transactions.run('purchase: dead ends deleted', async (manager) => {
      const dead = await manager.find(Purchase, {
        select: { requestHash: true },
        where: { state: In([...DEAD_ENDS]), touchedAt: LessThan(before) },
        take: limit,
      });
      if (dead.length > 0) await manager.delete(Purchase, { requestHash: In(dead.map(({ requestHash }) => requestHash)) });
      await manager.delete(RefusedRequest, { createdAt: LessThan(before) });
    });
  }
}

/** Whether what is stored takes nothing that is taken. */
async function isFree(storing: Promise<unknown>): Promise<boolean> {
  try {
    await storing;
    return true;
  } catch (error) {
    if (isUniqueViolation(error)) return false;
    throw error;
  }
}
