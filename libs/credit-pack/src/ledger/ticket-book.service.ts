import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { pythonJson, type CreditPackTicket, type Json } from '#protocol';
import { BurnCounting } from './burn-counting.service.js';
import { LedgerStore } from './pack-ledger.store.js';
import type { PackKeys } from './pack.repository.js';
import type { PackRow } from './pack.entity.js';
import { standsBefore, type ChainPlace } from './pack.rules.js';
import type { SoldPack } from './ticket.rules.js';
import type { TicketVerdict } from './ticket-validation.service.js';
import type { TicketVerdictRow } from './ticket-verdict.entity.js';

export interface TicketPlace extends ChainPlace {
  readonly registrationTxid: string;
  readonly blockHash: string;
}
/** What is in a ticket that can be read, with its data as it stands on the chain. */
export interface ReadableTicket {
  readonly ticket: CreditPackTicket;
  readonly data: Json;
}

export interface EnteredAt {
  readonly now: Date;
  /** Height up to which the chain is read. */
  readonly readUpTo: number;
}

/** Writes down what a ticket is worth. Every method runs in the caller's transaction. */
@Injectable()
export class TicketBook {
  private readonly logger = new Logger(TicketBook.name);

  constructor(
    private readonly store: LedgerStore,
    private readonly counting: BurnCounting,
  ) {}

  /**
   * Nothing is decided by a block above those that were read: a reorganisation of it would undo nothing.
   * @param readable undefined where the ticket is malformed, and the verdict then says how
   * @param at `readUpTo`: the place of the scan with which it is entered
   */
  async enter(
    manager: EntityManager,
    place: TicketPlace,
    readable: ReadableTicket | undefined,
    verdict: TicketVerdict,
    { now, readUpTo }: EnteredAt,
  ): Promise<void> {
    const keys = readable && keysOf(readable.ticket);
    const note = (kind: TicketVerdictRow['verdict'], reasons: readonly string[]): Promise<void> =>
      this.store.verdicts.put(
        manager,
        verdictRow(place, keys, { verdict: kind, reasons, judgedAtHeight: verdict.judgedAtHeight, now }),
      );

    if (verdict.verdict === 'undecided') return note('undecided', [verdict.reason]);
    if ((verdict.restsOnHeight ?? 0) > readUpTo)
      return note('undecided', [`Block ${verdict.restsOnHeight} decides about it, and the chain is read up to ${readUpTo}`]);
    if (verdict.verdict === 'invalid' || !readable || !keys)
      return note('bad', verdict.verdict === 'invalid' ? verdict.reasons : []);
    // The ticket that stands first on the chain wins, so it has to be decided first.
    if (await this.store.verdicts.hasEarlierUndecided(manager, keys, place))
      return note('undecided', ['An earlier ticket claims the same burn, address or request, and is not decided yet']);
    const rivals = (await this.store.packs.rivalsOf(manager, keys)).filter(
      (rival) => rival.registrationTxid !== place.registrationTxid,
    );
    const winner = rivals.find((rival) => standsBefore(rival, place));
    if (winner) return note('bad', [takenBy(winner, keys)]);
    for (const rival of rivals) await this.supersede(manager, rival, place, now);
    await this.stand(manager, place, readable, verdict);
  }

  /** A reorganisation: what stood above the height stands no more. Holds and counters stay. */
  async undoAbove(manager: EntityManager, height: number, now: Date): Promise<void> {
    for (const pack of await this.store.packs.standingAbove(manager, height)) {
      await this.store.packs.leave(manager, pack.registrationTxid, 'orphaned');
      this.logger.warn(`A reorganisation took the ticket or the burn of pack ${pack.registrationTxid}: it is frozen`);
      // Its ticket is still there, its burn is not: the scan will not come past it again.
      if (pack.height <= height) await this.reopen(manager, pack, 'Its purchase burn was disconnected', now);
    }
    await this.store.verdicts.undoAbove(manager, height);
  }

  private async stand(
    manager: EntityManager,
    place: TicketPlace,
    { ticket, data }: ReadableTicket,
    verdict: Judged,
  ): Promise<void> {
    const pack = packRow(place, ticket, data, verdict.sold, verdict.restsOnHeight);
    await this.store.packs.stand(manager, pack);
    await this.takeOver(manager, pack);
    await this.store.verdicts.remove(manager, place.registrationTxid);
    // The purchase burn is no usage, whatever was thought of it before.
    const burn = await this.store.burns.byTxid(manager, ticket.confirmation.txid_of_credit_purchase_burn_transaction);
    if (burn && burn.requestId === null) await this.counting.assign(manager, burn);
    for (const usage of await this.store.burns.unclaimedFrom(manager, verdict.sold.trackingAddress)) {
      await this.counting.assign(manager, usage);
    }
  }

  /** The same purchase under another ticket is the same pack: what was held and burned of it would else be free again. */
  private async takeOver(manager: EntityManager, pack: PackRow): Promise<void> {
    const { packs, holds, burns } = this.store;
    const to = pack.registrationTxid;
    for (const { registrationTxid: from, heldMillicredits: held, burnedMillicredits: burned } of await packs.otherTicketsOf(
      manager,
      pack,
    )) {
      await packs.giveUp(manager, from);
      await holds.movePack(manager, from, to);
      await burns.movePack(manager, from, to);
      const changes = [
        [from, { held: -held, burned: -burned }],
        [to, { held, burned }],
      ] as const;
      await packs.count(manager, new Map(changes));
    }
  }

  private async supersede(manager: EntityManager, rival: PackRow, by: TicketPlace, now: Date): Promise<void> {
    await this.store.packs.leave(manager, rival.registrationTxid, 'superseded');
    const reasons = [
      `The ticket ${by.registrationTxid} stands earlier on the chain and claims the same burn, address or request`,
    ];
    await this.store.verdicts.put(manager, verdictRow(rival, rival, { verdict: 'bad', reasons, judgedAtHeight: by.height, now }));
  }

  private async reopen(manager: EntityManager, pack: PackRow, reason: string, now: Date): Promise<void> {
    const judged = { verdict: 'undecided', reasons: [reason], judgedAtHeight: pack.height, now } as const;
    await this.store.verdicts.put(manager, verdictRow(pack, pack, judged));
  }
}
type Judged = Extract<TicketVerdict, { verdict: 'valid' }>;

const keysOf = ({ response, confirmation, fullyParsedHash }: CreditPackTicket): PackKeys & { fullyParsedHash: string } => ({
  fullyParsedHash,
  purchaseBurnTxid: confirmation.txid_of_credit_purchase_burn_transaction,
  trackingAddress: response.credit_usage_tracking_psl_address,
  requestHash: response.sha3_256_hash_of_credit_pack_purchase_request_fields,
});

function takenBy(winner: PackRow, keys: PackKeys): string {
  const what =
    winner.purchaseBurnTxid === keys.purchaseBurnTxid
      ? 'burn'
      : winner.trackingAddress === keys.trackingAddress
        ? 'tracking address'
        : 'request';
  return `The ${what} belongs to the ticket ${winner.registrationTxid}, which stands earlier on the chain`;
}

const verdictRow = (
  { registrationTxid, height, blockIndex, blockHash }: TicketPlace,
  keys: (PackKeys & { readonly fullyParsedHash: string }) | undefined,
  judged: { verdict: TicketVerdictRow['verdict']; reasons: readonly string[]; judgedAtHeight: number; now: Date },
): TicketVerdictRow => ({
  registrationTxid,
  height,
  blockIndex,
  blockHash,
  verdict: judged.verdict,
  reasons: JSON.stringify(judged.reasons),
  judgedAtHeight: judged.judgedAtHeight,
  judgedAt: judged.now.getTime(),
  purchaseBurnTxid: keys?.purchaseBurnTxid ?? null,
  trackingAddress: keys?.trackingAddress ?? null,
  requestHash: keys?.requestHash ?? null,
  fullyParsedHash: keys?.fullyParsedHash ?? null,
});

const packRow = (
  place: TicketPlace,
  ticket: CreditPackTicket,
  data: Json,
  sold: SoldPack,
  purchaseBurnHeight: number,
): PackRow => ({
  registrationTxid: place.registrationTxid,
  height: place.height,
  blockIndex: place.blockIndex,
  blockHash: place.blockHash,
  state: 'standing',
  ...keysOf(ticket),
  ownerPastelId: sold.ownerPastelId,
  authorisedPastelIds: JSON.stringify(sold.authorisedPastelIds),
  initialMillicredits: sold.initialMillicredits,
  heldMillicredits: 0,
  burnedMillicredits: 0,
  purchaseBurnHeight,
  pslCostPerCredit: ticket.response.psl_cost_per_credit.text,
  requestedCredits: sold.requestedCredits,
  confirmationHeight: ticket.confirmation.credit_purchase_request_confirmation_pastel_block_height,
  ticketJson: pythonJson(data),
  refreshedAtHeight: null,
  refreshedAt: null,
});
