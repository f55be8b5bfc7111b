import { Injectable } from '@nestjs/common';
import { Between, In, IsNull, LessThanOrEqual, MoreThan, Not, type EntityManager } from 'typeorm';
import { BurnPartyRow, UsageBurnRow } from './burn.entity.js';

@Injectable()
export class BurnRepository {
  byTxid(manager: EntityManager, txid: string): Promise<UsageBurnRow | null> {
    return manager.findOneBy(UsageBurnRow, { txid });
  }

  byTxids(manager: EntityManager, txids: readonly string[]): Promise<UsageBurnRow[]> {
    return manager.findBy(UsageBurnRow, { txid: In([...txids]) });
  }

  /** Does nothing where it is known already. */
  async add(manager: EntityManager, burn: UsageBurnRow): Promise<void> {
    await manager.createQueryBuilder().insert().into(UsageBurnRow).values(burn).orIgnore().execute();
  }

  /** In pieces: a transaction may have more inputs than a statement takes parameters. */
  async addInputs(manager: EntityManager, txid: string, addresses: readonly string[]): Promise<void> {
    for (let at = 0; at < addresses.length; at += ROWS_PER_STATEMENT) {
      const some = addresses.slice(at, at + ROWS_PER_STATEMENT);
      const values = some.map((address) => ({ txid, address, role: 'input' as const }));
      await manager.createQueryBuilder().insert().into(BurnPartyRow).values(values).orIgnore().updateEntity(false).execute();
    }
  }

  async inputAddresses(manager: EntityManager, txid: string): Promise<string[]> {
    return (await manager.findBy(BurnPartyRow, { txid, role: 'input' })).map(({ address }) => address);
  }

  /** Burns that spend from the address and that nobody claimed. */
  async unclaimedFrom(manager: EntityManager, address: string): Promise<UsageBurnRow[]> {
    const parties = await manager.findBy(BurnPartyRow, { address, role: 'input' });
    const rows: UsageBurnRow[] = [];
    for (let at = 0; at < parties.length; at += ROWS_PER_STATEMENT) {
      const txids = parties.slice(at, at + ROWS_PER_STATEMENT).map(({ txid }) => txid);
      rows.push(...(await manager.findBy(UsageBurnRow, { txid: In(txids), requestId: IsNull() })));
    }
    return rows;
  }

  async mined(manager: EntityManager, txid: string, at: { height: number; blockHash: string }): Promise<void> {
    await manager.update(UsageBurnRow, { txid }, at);
    await manager.update(UsageBurnRow, { txid, seenAtHeight: MoreThan(at.height) }, { seenAtHeight: at.height });
  }

  /** A mined one is not touched: whoever looked before it was mined may come here late. */
  async stillWaiting(manager: EntityManager, txid: string, tip: number): Promise<void> {
    await manager.update(UsageBurnRow, { txid, height: IsNull() }, { knownAtHeight: tip });
  }

  /** One conditional statement decides whose burn it is, as long as nobody has claimed it. */
  async give(manager: EntityManager, burn: UsageBurnRow, packTxid: string | null): Promise<boolean> {
    const where = { txid: burn.txid, requestId: IsNull(), packTxid: burn.packTxid ?? IsNull() };
    const { affected } = await manager.update(UsageBurnRow, where, { packTxid });
    return affected === 1;
  }

  /** One conditional statement decides which request it pays for. */
  async claim(manager: EntityManager, txid: string, requestId: string): Promise<boolean> {
    const { affected } = await manager.update(UsageBurnRow, { txid, requestId: IsNull() }, { requestId });
    return affected === 1;
  }

  /** The pack's ticket stands under another txid now. */
  async movePack(manager: EntityManager, from: string, to: string): Promise<void> {
    await manager.update(UsageBurnRow, { packTxid: from }, { packTxid: to });
  }

  async setPack(manager: EntityManager, txid: string, packTxid: string): Promise<void> {
    await manager.update(UsageBurnRow, { txid }, { packTxid });
  }

  /** Says whether it was there to go: nobody has seen it since it was read. */
  async gone(manager: EntityManager, { txid, knownAtHeight }: UsageBurnRow): Promise<boolean> {
    const where = { txid, knownAtHeight, height: IsNull(), isGone: false };
    const { affected } = await manager.update(UsageBurnRow, where, { isGone: true });
    return affected === 1;
  }

  async back(manager: EntityManager, txid: string): Promise<boolean> {
    const { affected } = await manager.update(UsageBurnRow, { txid, isGone: true }, { isGone: false });
    return affected === 1;
  }

  /** One that nobody claimed; says whether it was there to be forgotten. */
  async forget(manager: EntityManager, burn: UsageBurnRow): Promise<boolean> {
    const { txid, knownAtHeight } = burn;
    const where = { txid, knownAtHeight, requestId: IsNull(), height: IsNull(), packTxid: burn.packTxid ?? IsNull() };
    const { affected } = await manager.delete(UsageBurnRow, where);
    if (affected === 1) await manager.delete(BurnPartyRow, { txid: burn.txid });
    return affected === 1;
  }

  /** Those whose block was disconnected wait again. */
  async undoAbove(manager: EntityManager, height: number): Promise<void> {
    await manager.update(UsageBurnRow, { height: MoreThan(height) }, { height: null, blockHash: null, knownAtHeight: height });
  }

  /** Blocks of the burns that are mined from one height to another. */
  async blocksBetween(manager: EntityManager, from: number, to: number): Promise<{ height: number; blockHash: string }[]> {
    const rows = await manager
      .createQueryBuilder(UsageBurnRow, 'burn')
      .select('burn.height', 'height')
      .addSelect('burn.blockHash', 'hash')
      .distinct(true)
      .where({ height: Between(from, to) })
      .getRawMany<{ height: string | number; hash: string }>();
    return rows.map(({ height, hash }) => ({ height: Number(height), blockHash: hash }));
  }

  /** Those of one block wait again. */
  async undoBlock(manager: EntityManager, blockHash: string): Promise<void> {
    await manager.update(UsageBurnRow, { blockHash }, { height: null, blockHash: null });
  }

  /** The longest unconfirmed. */
  waiting(manager: EntityManager, take: number): Promise<UsageBurnRow[]> {
    return manager.find(UsageBurnRow, { where: { height: IsNull(), isGone: false }, order: { knownAtHeight: 'ASC' }, take });
  }

  minedOf(manager: EntityManager, packTxid: string): Promise<UsageBurnRow[]> {
    return manager.findBy(UsageBurnRow, { packTxid, height: Not(IsNull()) });
  }

  count(manager: EntityManager, packTxid: string): Promise<number> {
    return manager.countBy(UsageBurnRow, { packTxid, isGone: false });
  }

  async countByPack(manager: EntityManager, packTxids: readonly string[]): Promise<Map<string, number>> {
    const rows = await manager
      .createQueryBuilder(UsageBurnRow, 'burn')
      .select('burn.packTxid', 'pack')
      .addSelect('COUNT(*)', 'burns')
      .where({ packTxid: In([...packTxids]), isGone: false })
      .groupBy('burn.packTxid')
      .getRawMany<{ pack: string; burns: string | number }>();
    return new Map(rows.map(({ pack, burns }) => [pack, Number(burns)]));
  }

  /** Patoshis of the pack's mined burns up to and including the given one; the order within a block is that of the txids. */
  async minedUpTo(manager: EntityManager, packTxid: string, place: { txid: string; height: number }): Promise<number> {
    const counted = { packTxid, isGone: false };
    const below = await manager.sum(UsageBurnRow, 'patoshis', { ...counted, height: LessThanOrEqual(place.height - 1) });
    const beside = await manager.sum(UsageBurnRow, 'patoshis', {
      ...counted,
      height: place.height,
      txid: LessThanOrEqual(place.txid),
    });
    return Number(below ?? 0) + Number(beside ?? 0);
  }

  /** Patoshis of the burns that count for each pack. */
  async burnedByPack(manager: EntityManager): Promise<Map<string, number>> {
    const rows = await manager
      .createQueryBuilder(UsageBurnRow, 'burn')
      .select('burn.packTxid', 'pack')
      .addSelect('SUM(burn.patoshis)', 'patoshis')
      .where({ packTxid: Not(IsNull()), isGone: false })
      .groupBy('burn.packTxid')
      .getRawMany<{ pack: string; patoshis: string | number }>();
    return new Map(rows.map(({ pack, patoshis }) => [pack, Number(patoshis)]));
  }

  claimed(manager: EntityManager): Promise<UsageBurnRow[]> {
    return manager.findBy(UsageBurnRow, { requestId: Not(IsNull()) });
  }
}
const ROWS_PER_STATEMENT = 500;
