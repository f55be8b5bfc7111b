import type { DevnetCore } from './core.js';
import type { MasternodeStatus } from './masternodes.js';
import { RPC, RpcError } from './rpc-error.js';
import { SEQUENCE_FINAL, signTx, type Tx } from './transaction.js';

const FEE_PATOSHIS = 5_000;

/** What only a test does to a chain. */
export class Controls {
  constructor(private readonly devnet: DevnetCore) {}

  /** Whether `sendmany` spends the coins of its change address first. */
  get preferChangeCoins(): boolean {
    return this.devnet.preferChangeCoins;
  }
  set preferChangeCoins(prefer: boolean) {
    this.devnet.preferChangeCoins = prefer;
  }

  /**
   * Replaces the last `depth` blocks by as many others and one more. What they held waits again and stands in the first new block,
   * unless `keepWaiting`; what `drop` names is gone, with all that spends it. Gives the new tip.
   */
  reorganise(
    depth: number,
    { drop = [], keepWaiting = false }: { drop?: readonly string[]; keepWaiting?: boolean } = {},
  ): string {
    const own = this.devnet.state.ledger.height - this.devnet.state.ledger.start.height;
    if (depth < 1 || depth > own) throw new RpcError(RPC.parameter, `Only the last ${own} blocks can be replaced`);
    this.devnet.record({ kind: 'disconnect', count: depth, drop, time: this.devnet.seconds });
    for (const txid of drop) this.dropTransaction(txid);
    let tip = '';
    for (let i = 0; i <= depth; i++) {
      const time = Math.max(this.devnet.seconds, this.devnet.state.ledger.tip.time + 1);
      tip = keepWaiting ? this.devnet.mineAt(time, undefined, []) : this.devnet.mineAt(time);
    }
    return tip;
  }

  /** Takes a waiting transaction, and what spends it, out of the mempool. Whether it was there. */
  dropTransaction(txid: string): boolean {
    if (!this.devnet.state.mempool.find(txid)) return false;
    this.devnet.record({ kind: 'drop', txid });
    return true;
  }

  /** Mines a block in which another payment spends the first coin of a waiting transaction. Gives the rival's id. */
  doubleSpend(txid: string): string {
    const waiting = this.devnet.state.mempool.find(txid)?.tx;
    if (!waiting) throw new RpcError(RPC.addressOrKey, 'The transaction is not in the mempool');
    const rival = this.rivalOf(waiting);
    this.devnet.mineAt(Math.max(this.devnet.seconds, this.devnet.state.ledger.tip.time + 1), undefined, [rival]);
    return rival.txid;
  }

  setMasternodeStatus(user: string, status: MasternodeStatus): void {
    const node = this.devnet.state.masternodes.of(user);
    if (!node) throw new RpcError(RPC.parameter, `${user} is no supernode`);
    node.status = status;
  }

  private rivalOf(tx: Tx): Tx {
    const input = tx.inputs[0];
    const output = input && this.devnet.state.ledger.output(input.txid, input.vout);
    if (!output) throw new RpcError(RPC.parameter, 'The first input of the transaction is itself not mined');
    const key = [...this.devnet.state.accounts.values()]
      .map(({ wallet }) => wallet.keyOfScript(output.script))
      .find((found) => found);
    if (!key) throw new RpcError(RPC.parameter, 'No wallet here has the key of the first input');
    return signTx(
      {
        inputs: [{ txid: input.txid, vout: input.vout, script: Buffer.alloc(0), sequence: SEQUENCE_FINAL }],
        outputs: [{ patoshis: output.patoshis - FEE_PATOSHIS, script: output.script }],
        lockTime: 0,
        expiryHeight: 0,
      },
      [{ output, key }],
    );
  }
}
