import { Injectable } from '@nestjs/common';
import { Chain, type Block, type Transaction } from '#chain';
import { NetworkSettings } from '#config';
import { Transactions } from '#database';
import { inParallel, USAGE_BURN_PATOSHIS_MAX } from '#protocol';
import { BurnCounting } from './burn-counting.service.js';
import { burnIn, isTiedTo, type NamedBurn } from './burn.rules.js';
import type { CreditPack } from './pack-ledger.js';
import { LedgerStore } from './pack-ledger.store.js';
import { ChainScan } from './pack-scan.service.js';
import type { ScanRow } from './ticket-verdict.entity.js';
import { SingleFlight } from '../single-flight.js';

/** Calls in flight at the same time for one piece of work. */
const CALLS_MAX = 8;
const BLOCKS_PER_READ = 500;
const READS_PER_SWEEP_MAX = 10;
const TRANSACTIONS_PER_WRITE = 100;
const WAITING_PER_SWEEP_MAX = 50;
/** A node forgets its mempool when it starts, and hears of it again from others: only then is a burn given up. */
const DROPPED_AFTER_BLOCKS = 10;
/** Blocks that a refresh reads again although the sweep has been there: a reorganisation may not have been noticed yet. */
const REFRESH_OVERLAP_BLOCKS = 20;

/** When transactions were looked at. */
interface Look {
  /** Where the sweep was before. */
  readonly before: ScanRow | null;
  readonly tip: number;
}

/**
 * The node's own index of usage burns (credit-packs spec 5.12).
 *
 * 1. `sweep` follows the burn address by block, after undoing what a reorganisation took away: burns of disconnected blocks wait again.
 * 2. It then looks after the burns that wait: mined ones get their block; those that the node has not known for ten blocks no longer count,
 *    and a request that they paid for is unsettled again.
 * 3. `refresh` reads one pack's burns, the mempool included, when a balance is needed at once.
 *
 * Whoever looks at the chain writes later, and a reorganisation may come, and be undone, in between. So a block is only written down where
 * the place of the sweep vouches for the look (`ScanRepository.vouchesFor`); otherwise the burn waits, and step 2 finds its block. Blocks above
 * that place are written at once, and checked by the sweep when it comes to them.
 */
@Injectable()
export class BurnIndex {
  private readonly refreshes = new SingleFlight<void>();

  constructor(
    private readonly chain: Chain,
    private readonly settings: NetworkSettings,
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
    private readonly counting: BurnCounting,
    private readonly scan: ChainScan,
  ) {}

  /** Bounded and idempotent. Throws ChainUnavailable; what was read until then stays. */
  async sweep(now: Date): Promise<void> {
    const tip = await this.chain.bestBlock();
    let place = await this.scan.resume('burns', tip, (manager, height) => this.store.burns.undoAbove(manager, height));
    const first = await this.transactions.read((manager) => this.store.packs.firstPurchaseBurnHeight(manager));
    for (let reads = 0; reads < READS_PER_SWEEP_MAX; reads++) {
      const from: number | null = place ? place.height + 1 : first;
      if (from === null || from > tip.height) break;
      const reached = await this.readBlocks(place, from, tip, now);
      if (!reached) break;
      place = reached;
    }
    await this.lookAfterWaiting(tip.height);
  }

  /** The newest burns from the pack's tracking address; calls at the same time share one. */
  refresh(pack: CreditPack, now: Date): Promise<void> {
    return this.refreshes.run(pack.registrationTxid, () => this.readPack(pack.registrationTxid, now));
  }

  /**
   * Looks at a transaction that the owner of a tracking address names, and takes note of it where that address pays or gets the change.
   * Undefined where nobody knows it.
   */
  async look(txid: string, trackingAddress: string): Promise<NamedBurn | undefined> {
    const before = await this.scan.position('burns');
    const tip = await this.chain.height();
    const transaction = await this.chain.transaction(txid);
    if (!transaction) return undefined;
    const burn = burnIn(transaction, this.settings.network.burnAddress);
    if (isTiedTo(burn, trackingAddress)) await this.write([transaction], { before, tip });
    const known = await this.transactions.read((manager) => this.store.burns.byTxid(manager, txid));
    const minedAt = transaction.mined?.height;
    return { burn, minedAt, seenAtHeight: known?.seenAtHeight ?? Math.min(tip, minedAt ?? tip) };
  }

  /** Whether a request was paid by the transaction: it can pay for no credit pack then. */
  async isClaimed(txid: string): Promise<boolean> {
    const burn = await this.transactions.read((manager) => this.store.burns.byTxid(manager, txid));
    return burn !== null && burn.requestId !== null;
  }

  /** Undefined where the chain has moved meanwhile, or another process has read on: nothing is lost, the next sweep comes again. */
  private async readBlocks(before: ScanRow | null, from: number, tip: Block, now: Date): Promise<ScanRow | undefined> {
    const to = Math.min(from + BLOCKS_PER_READ - 1, tip.height);
    const last = to === tip.height ? tip : await this.chain.block(to);
    const txids = await this.chain.transactionIdsOf(this.settings.network.burnAddress, from, to);
    for (let at = 0; at < txids.length; at += TRANSACTIONS_PER_WRITE) {
      await this.readTransactions(txids.slice(at, at + TRANSACTIONS_PER_WRITE), { before, tip: tip.height });
    }
    const passed = [before ? before.height + 1 : 0, to] as const;
    const standing = await this.standingBlocks(...passed);
    if (!last || !(await this.scan.areOnChain(before, { height: to, blockHash: last.hash }))) return undefined;
    const place = { scan: 'burns', height: to, blockHash: last.hash, readAt: now.getTime() } as const;
    const isFirst = await this.transactions.run('ledger: burn scan advanced', async (manager) => {
      if (!(await this.scan.goOnFrom(manager, 'burns', before))) return false;
      for (const { blockHash } of await this.store.burns.blocksBetween(manager, ...passed))
        if (!standing.has(blockHash)) await this.store.burns.undoBlock(manager, blockHash);
      await this.scan.advance(manager, place);
      return true;
    });
    return isFirst ? place : undefined;
  }

  /** Of the blocks that burns were seen in, by this sweep or before it came: those on the chain now. */
  private async standingBlocks(from: number, to: number): Promise<Set<string>> {
    const blocks = await this.transactions.read((manager) => this.store.burns.blocksBetween(manager, from, to));
    const standing = await inParallel(blocks, CALLS_MAX, async (block) =>
      (await this.scan.isOnChain(block)) ? block : undefined,
    );
    return new Set(standing.flatMap((block) => block?.blockHash ?? []));
  }

  private async readTransactions(txids: readonly string[], look: Look): Promise<void> {
    const known = await this.transactions.read((manager) => this.store.burns.byTxids(manager, txids));
    const done = new Set(known.flatMap(({ txid, height }) => (height === null ? [] : [txid])));
    const found = await inParallel(
      txids.filter((txid) => !done.has(txid)),
      CALLS_MAX,
      (txid) => this.chain.transaction(txid),
    );
    await this.write(
      found.filter((transaction) => transaction !== undefined),
      look,
    );
  }

  /** @param sender known to have paid for all of them, where the node's address index says so */
  private async write(found: readonly Transaction[], { before, tip }: Look, sender?: string): Promise<void> {
    const since = found.some(({ mined }) => mined) ? await this.scan.since(before) : null;
    const sightings = found
      .map((transaction) => ({ transaction, burn: burnIn(transaction, this.settings.network.burnAddress) }))
      .filter(({ burn }) => burn.usage > 0);
    // One after the other: whoever holds a pack never waits for a burn.
    for (const { transaction, burn } of sightings) {
      const inputAddresses = sender === undefined ? burn.inputAddresses : [...new Set([...burn.inputAddresses, sender])];
      const { txid, mined } = transaction;
      await this.transactions.run('ledger: burns recorded', async (manager) => {
        await this.store.packs.pay(manager);
        const isVouchedFor = mined !== undefined && (await this.store.scans.vouchesFor(manager, 'burns', mined.height, since));
        await this.counting.record(manager, { txid, burn: { ...burn, inputAddresses }, mined, isVouchedFor, tip });
      });
    }
  }

  private async lookAfterWaiting(tip: number): Promise<void> {
    const before = await this.scan.position('burns');
    const waiting = await this.transactions.read((manager) => this.store.burns.waiting(manager, WAITING_PER_SWEEP_MAX));
    const looked = await inParallel(waiting, CALLS_MAX, async (burn) => ({
      burn,
      transaction: await this.chain.transaction(burn.txid),
    }));
    await this.write(
      looked.flatMap(({ transaction }) => transaction ?? []),
      { before, tip },
    );
    const dropped = looked.filter(({ burn, transaction }) => !transaction && tip >= burn.knownAtHeight + DROPPED_AFTER_BLOCKS);
    for (const { burn } of dropped)
      await this.transactions.run('ledger: vanished burns recorded', async (manager) => {
        await this.store.packs.pay(manager);
        await this.counting.vanish(manager, burn);
      });
  }

  private async readPack(registrationTxid: string, now: Date): Promise<void> {
    const { pack, before } = await this.transactions.read(async (manager) => ({
      pack: await this.store.packs.byTxid(manager, registrationTxid),
      before: await this.store.scans.position(manager, 'burns'),
    }));
    if (!pack) return;
    const tip = await this.chain.height();
    const isCovered = pack.refreshedAtHeight !== null && before !== null;
    const from = isCovered ? Math.max(pack.purchaseBurnHeight, before.height - REFRESH_OVERLAP_BLOCKS) : pack.purchaseBurnHeight;
    const { burnAddress } = this.settings.network;
    const outputs = await this.chain.outputsSentBy(pack.trackingAddress, burnAddress, from);
    const heights = new Map(
      outputs.flatMap(({ txid, patoshis, height }) => (patoshis <= USAGE_BURN_PATOSHIS_MAX ? [[txid, height] as const] : [])),
    );
    const news = await this.notYetCounted(heights);
    for (let at = 0; at < news.length; at += TRANSACTIONS_PER_WRITE) {
      const found = await inParallel(news.slice(at, at + TRANSACTIONS_PER_WRITE), CALLS_MAX, (txid) =>
        this.chain.transaction(txid),
      );
      await this.write(
        found.filter((transaction) => transaction !== undefined),
        { before, tip },
        pack.trackingAddress,
      );
    }
    await this.transactions.run('ledger: pack refresh noted', (manager) =>
      this.store.packs.markRefreshed(manager, registrationTxid, { height: tip, time: now.getTime() }),
    );
  }

  /** Those that are new, or have been mined since, or count for nobody yet. */
  private async notYetCounted(heights: ReadonlyMap<string, number>): Promise<string[]> {
    const txids = [...heights.keys()];
    const settled = new Set<string>();
    for (let at = 0; at < txids.length; at += TRANSACTIONS_PER_WRITE) {
      const some = txids.slice(at, at + TRANSACTIONS_PER_WRITE);
      const rows = await this.transactions.read((manager) => this.store.burns.byTxids(manager, some));
      for (const { txid, height, packTxid, isGone } of rows) {
        const isAsKnown = height === null ? heights.get(txid)! < 0 : height === heights.get(txid);
        if (isAsKnown && packTxid !== null && !isGone) settled.add(txid);
      }
    }
    return txids.filter((txid) => !settled.has(txid));
  }
}
