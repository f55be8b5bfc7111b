import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { SupernodeNetwork, type MasternodeMessage } from '#chain';
import { MessagingSettings } from '#config';
import { inParallel } from '#protocol';
import { DispatchService } from './dispatch.service.js';
import { candidates, DEFERRED_MAX_MS, endsOf, obsoleteBefore, waitsFor, type Ends } from './inbox.rules.js';
import { InboxJudge, type Judged } from './inbox.judge.js';
import { InboxStore, type Waiting } from './inbox.store.js';
import { MessagesRepository } from './messages.repository.js';
import { SingleFlight } from './single-flight.js';

/** What one sweep did. `left`: more than a sweep takes on; the next one goes on there. `failed`: our own fault, tried again. */
export interface Swept {
  stored: number;
  /** Messages that their handlers were told of, older ones included. */
  handled: number;
  rejected: number;
  deferred: number;
  failed: number;
  left: number;
}

/** Messages that one sweep judges, and that it defers. */
const SWEEP_MAX = 1000;
/** Verified together on the thread pool, then stored one after another. */
const VERIFIED_TOGETHER = 16;

/**
 * Takes in what pasteld's inbox holds. pasteld never prunes it, so every sweep sees every message there ever was; there is no
 * cursor, because time stamps are the senders' own clocks (messaging spec 4.10; 10.2, lines 17, 18, 28).
 *
 * 1. Fetch the inbox; leave out what is obsolete, what was purged, and what is settled already.
 * 2. Put aside, for a limited time, what comes from or goes to a node that is not listed at the moment, or is ahead of the clock here.
 * 3. Judge the rest, oldest first, a batch at a time. A bad item is put on record with its reason and never looked at again.
 * 4. Store each good one with its counters and its debt to handlers in one transaction.
 * 5. Tell the handlers, also of what an earlier sweep left them owed.
 *
 * A sweep that is cut off anywhere, or runs twice, loses nothing and counts nothing twice.
 */
@Injectable()
export class InboxService implements OnModuleDestroy {
  private readonly logger = new Logger(InboxService.name);
  private readonly flight = new SingleFlight<Swept>();
  private lastStarted = -Infinity;
  /** Ids of the last inbox that need no look at the database any more; never more than that inbox has. */
  private settled = new Set<string>();

  constructor(
    private readonly network: SupernodeNetwork,
    private readonly judge: InboxJudge,
    private readonly store: InboxStore,
    private readonly messages: MessagesRepository,
    private readonly dispatches: DispatchService,
    private readonly settings: MessagingSettings,
  ) {}

  /** For a tick that is faster than the setting. */
  async sweepWhenDue(now: Date): Promise<void> {
    // A clock that was set back does not stop the sweeps.
    if (Math.abs(now.getTime() - this.lastStarted) < this.settings.pollSeconds * 1000) return;
    this.lastStarted = now.getTime();
    await this.sweep(now);
  }

  /** One at a time: whoever asks meanwhile gets the running one. Throws ChainUnavailable. */
  sweep(now: Date): Promise<Swept> {
    return this.flight.run(() => this.run(now));
  }
  onModuleDestroy(): Promise<void> {
    return this.flight.close();
  }

  private async run(now: Date): Promise<Swept> {
    const swept: Swept = { stored: 0, handled: 0, rejected: 0, deferred: 0, failed: 0, left: 0 };
    try {
      await this.takeIn(now, swept);
    } finally {
      // 5; pasteld may be away, but what is stored can be handled.
      swept.handled = await this.dispatches.sweep(now);
    }
    return swept;
  }

  private async takeIn(now: Date, swept: Swept): Promise<void> {
    // 1
    const inbox = await this.network.inbox();
    const open = await this.unsettled(inbox, now);
    // 2
    const listed = new Map((await this.network.list()).map((supernode) => [supernode.outpoint, supernode]));
    const ready: { item: MasternodeMessage; ends: Ends }[] = [];
    const early: Waiting[] = [];
    for (const item of open) {
      const ends = endsOf(item, listed);
      const why = waitsFor(item, ends, now);
      if (ends && why === undefined) ready.push({ item, ends });
      else if (why !== undefined) early.push({ item, why });
    }
    const waiting = await this.messages.deferredAmong(open.map(({ id }) => id));
    await this.putAside(early, waiting, now, swept);
    // 3, 4
    const batch = ready.slice(0, SWEEP_MAX);
    swept.left += ready.length - batch.length;
    for (let at = 0; at < batch.length && !this.flight.isClosing; at += VERIFIED_TOGETHER) {
      const judged = await inParallel(batch.slice(at, at + VERIFIED_TOGETHER), VERIFIED_TOGETHER, ({ item, ends }) =>
        this.guarded(item, swept, () => this.judge.judge(item, ends)),
      );
      for (const one of judged) if (one) await this.guarded(one.item, swept, () => this.settle(one, now, swept));
    }
    const arrived = [...waiting.keys()].filter((id) => this.settled.has(id));
    if (arrived.length > 0) await this.store.forgetDeferred(arrived);
  }

  private async unsettled(inbox: readonly MasternodeMessage[], now: Date): Promise<MasternodeMessage[]> {
    const purgedBefore = await this.store.purgedBefore();
    const obsolete = obsoleteBefore(now, this.settings.obsoleteAfterDays);
    const from = purgedBefore > obsolete ? purgedBefore : obsolete;
    const unknown = candidates(inbox, from, (id) => this.settled.has(id));
    const settled = await this.messages.settledAmong(unknown.map(({ id }) => id));
    this.settled = new Set(inbox.map(({ id }) => id).filter((id) => this.settled.has(id) || settled.has(id)));
    return unknown.filter(({ id }) => !settled.has(id));
  }

  private async putAside(early: readonly Waiting[], since: ReadonlyMap<string, Date>, now: Date, swept: Swept): Promise<void> {
    const isOverdue = ({ item: { id } }: Waiting): boolean => now.getTime() - (since.get(id) ?? now).getTime() >= DEFERRED_MAX_MS;
    for (const { item, why } of early.filter(isOverdue).slice(0, SWEEP_MAX))
      await this.guarded(item, swept, () => this.settle({ item, rejected: why }, now, swept));
    const fresh = early.filter(({ item: { id } }) => !since.has(id)).slice(0, SWEEP_MAX);
    if (fresh.length > 0) await this.store.defer(fresh, now);
    swept.deferred += fresh.length;
  }

  private async settle(judged: Judged, now: Date, swept: Swept): Promise<void> {
    if ('rejected' in judged) {
      await this.store.reject(judged.item, judged.rejected, now);
      swept.rejected++;
    } else if ((await this.store.keep(judged, now)) === 'stored') swept.stored++;
    this.settled.add(judged.item.id);
  }

  /** One item that fails on our side does not stop the others; it is still in the inbox when the next sweep comes. */
  private async guarded<T>(item: MasternodeMessage, swept: Swept, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      swept.failed++;
      this.logger.error(`Inbox item ${item.id} could not be taken in: ${(error as Error).message}`);
      return undefined;
    }
  }
}
