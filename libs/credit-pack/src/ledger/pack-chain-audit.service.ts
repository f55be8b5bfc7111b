import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Chain, type AddressOutput } from '#chain';
import { NetworkSettings } from '#config';
import { Transactions } from '#database';
import { inParallel, USAGE_BURN_PATOSHIS_MAX } from '#protocol';
import type { UsageBurnRow } from './burn.entity.js';
import { LedgerStore } from './pack-ledger.store.js';
import type { PackRow } from './pack.entity.js';
import type { Difference } from './pack-reconciliation.service.js';

const PACKS_AT_ONCE = 4;

/** Compares the burns in the books with those on the chain, pack by pack. Changes nothing. Throws ChainUnavailable. */
@Injectable()
export class PackChainAudit {
  constructor(
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
    private readonly chain: Chain,
    private readonly settings: NetworkSettings,
  ) {}

  /** Over any database that has the tables, without a node. */
  static over(transactions: Transactions, chain: Chain, settings: NetworkSettings): PackChainAudit {
    return new PackChainAudit(transactions, LedgerStore.standalone(), chain, settings);
  }

  /** Of standing packs; what the node has not read yet is no difference. */
  async differences(): Promise<Difference[]> {
    const { packs, readUpTo } = await this.transactions.read(async (manager) => ({
      packs: (await this.store.packs.all(manager)).filter(({ state }) => state === 'standing'),
      readUpTo: (await this.store.scans.position(manager, 'burns'))?.height ?? -1,
    }));
    return (await inParallel(packs, PACKS_AT_ONCE, (pack) => this.differencesOf(pack, readUpTo))).flat();
  }

  private async differencesOf(pack: PackRow, readUpTo: number): Promise<Difference[]> {
    const { registrationTxid: packTxid, trackingAddress, purchaseBurnHeight } = pack;
    const outputs = await this.chain.outputsSentBy(trackingAddress, this.settings.network.burnAddress, purchaseBurnHeight);
    const onChain = usageByTxid(outputs.filter(({ height }) => height >= 0 && height <= readUpTo));
    const { mined, known } = await this.transactions.read(async (manager) => {
      await this.leaveOutPurchases(manager, onChain);
      return {
        mined: (await this.store.burns.minedOf(manager, packTxid)).filter(({ height }) => height! <= readUpTo),
        known: new Map((await this.store.burns.byTxids(manager, [...onChain.keys()])).map((row) => [row.txid, row])),
      };
    });
    const missing = [...onChain].flatMap(([txid, burn]) => missingFrom(known.get(txid), { packTxid, txid, ...burn }));
    const unproven = await inParallel(
      mined.filter(({ txid }) => !onChain.has(txid)),
      PACKS_AT_ONCE,
      (row) => this.unproven(row),
    );
    return [...missing, ...unproven.flat()];
  }

  /** A small pack may be bought with coins of a tracking address: that burn is no usage. */
  private async leaveOutPurchases(manager: EntityManager, burns: Map<string, ChainBurn>): Promise<void> {
    for (const txid of [...burns.keys()]) if (await this.store.packs.standingOfBurn(manager, txid)) burns.delete(txid);
  }

  /** A burn that was tied to the pack by its change is not among those that its address sent. */
  private async unproven({ txid, height, packTxid, patoshis }: UsageBurnRow): Promise<Difference[]> {
    const transaction = await this.chain.transaction(txid);
    if (transaction?.mined?.height === height) return [];
    const computed = transaction?.mined ? `mined in block ${transaction.mined.height}` : 'not on the chain';
    return [{ packTxid: packTxid!, what: `burn ${txid} of ${patoshis} patoshis`, stored: `mined in block ${height}`, computed }];
  }
}

interface ChainBurn {
  readonly patoshis: number;
  readonly height: number;
}

/** Larger outputs are purchases (credit-packs spec 5.12). */
function usageByTxid(outputs: readonly AddressOutput[]): Map<string, ChainBurn> {
  const burns = new Map<string, ChainBurn>();
  for (const { txid, patoshis, height } of outputs) {
    if (patoshis > USAGE_BURN_PATOSHIS_MAX) continue;
    burns.set(txid, { patoshis: (burns.get(txid)?.patoshis ?? 0) + patoshis, height });
  }
  return burns;
}

function missingFrom(row: UsageBurnRow | undefined, burn: ChainBurn & { txid: string; packTxid: string }): Difference[] {
  const { packTxid, txid, patoshis, height } = burn;
  const computed = `${patoshis} patoshis in block ${height}`;
  if (row?.packTxid && row.patoshis >= patoshis && row.height === height) return [];
  const stored = row ? `${row.patoshis} patoshis in block ${row.height ?? 'none'}, of ${row.packTxid ?? 'no pack'}` : 'unknown';
  return [{ packTxid, what: `burn ${txid}`, stored, computed }];
}
