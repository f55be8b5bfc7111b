import type { AddressIndex } from './address-index.js';
import { selectCoins, sum, type Coin, type CoinOrder } from './coin-selection.rules.js';
import { addressOf, scriptOf, type KeyPair } from './keys.js';
import type { Ledger } from './ledger.js';
import { DUST_PATOSHIS, TRANSACTION_BYTES_MAX, isDust, type Mempool } from './mempool.js';
import { RPC, RpcError } from './rpc-error.js';
import { KEY_INPUT_BYTES, SEQUENCE_FINAL, isCoinbase, outpointKey, signTx, type Tx, type TxOutput } from './transaction.js';

export interface ChainView {
  readonly ledger: Ledger;
  readonly mempool: Mempool;
  readonly index: AddressIndex;
  /** Collaterals: never spent by themselves. */
  readonly locked: ReadonlySet<string>;
}
/** Where the rest goes: to the script of the last coin spent, or to an address. */
export type Change = 'original' | { readonly address: string };

export interface Payment {
  readonly outputs: readonly TxOutput[];
  readonly change: Change;
  readonly order: CoinOrder;
  /** Coins of this address first. */
  readonly preferred?: string;
  /** Coins of this address only. */
  readonly from?: string;
  readonly minConfirmations?: number;
  /** Places of the outputs that pay the fee instead of the sender. */
  readonly feePaidBy?: readonly number[];
  /** Where the change stands among the outputs; last where absent. */
  readonly changePosition?: (outputs: number) => number;
}

const FEE_PER_KB = 1_000;
/** 0.1 PSL (pasteld spec B.2). */
const FEE_MAX = 10_000;
const EXPIRY_BLOCKS = 20;
const BASE_BYTES = 40;

export interface Note {
  readonly comment: string;
  readonly to: string;
}

/** Keys, watched addresses and the coins behind them. Changes nothing on the chain by itself. */
export class Wallet {
  private readonly keys = new Map<string, KeyPair>();
  private readonly watched = new Map<string, string>();
  readonly labels = new Map<string, string>();
  readonly notes = new Map<string, Note>();

  constructor(private readonly view: ChainView) {}

  addKey(key: KeyPair, label?: string): void {
    this.keys.set(key.address, key);
    this.watched.delete(key.address);
    if (label !== undefined) this.labels.set(key.address, label);
  }
  addWatched(address: string, label: string): void {
    this.watched.set(address, label);
    this.labels.set(address, label);
  }
  key(address: string): KeyPair | undefined {
    return this.keys.get(address);
  }
  keyOfScript(script: Buffer): KeyPair | undefined {
    const address = addressOf(script);
    return address === undefined ? undefined : this.keys.get(address);
  }
  isMine(address: string | undefined): boolean {
    return address !== undefined && this.keys.has(address);
  }
  isWatched(address: string | undefined): boolean {
    return address !== undefined && this.watched.has(address);
  }
  get ownAddresses(): string[] {
    return [...this.keys.keys()];
  }
  get watchedAddresses(): string[] {
    return [...this.watched.keys()];
  }

  /**
   * Unspent outputs of `addresses`: mined and mature ones, and of the mempool those that the wallet paid to itself
   * (`anyUnconfirmed`: whoever paid them). Spent in the mempool counts as spent.
   */
  coins(addresses: readonly string[], anyUnconfirmed = false): Coin[] {
    const { ledger, mempool, index } = this.view;
    const wanted = new Set(addresses);
    const mined = addresses
      .flatMap((address) => index.unspent(address))
      .flatMap((entry): Coin[] => {
        const origin = ledger.find(entry.txid);
        if (!origin || !ledger.isMature(origin) || mempool.spendOf(entry.txid, entry.vout)) return [];
        const output = origin.tx.outputs[entry.vout] as TxOutput;
        return [{ ...entry, output, confirmations: ledger.height - entry.height + 1 }];
      });
    const waiting = mempool.all().flatMap(({ tx }) => {
      if (!anyUnconfirmed && !this.isOwnTx(tx)) return [];
      return tx.outputs.flatMap((output, vout): Coin[] => {
        const address = addressOf(output.script);
        if (address === undefined || !wanted.has(address) || mempool.spendOf(tx.txid, vout)) return [];
        return [{ txid: tx.txid, vout, address, output, confirmations: 0 }];
      });
    });
    return [...mined, ...waiting];
  }
  /** Own keys' coins without collaterals. */
  spendable(minConfirmations = 0, from?: string): Coin[] {
    const addresses = from === undefined ? this.ownAddresses : this.isMine(from) ? [from] : [];
    return this.coins(addresses).filter(
      (coin) => coin.confirmations >= minConfirmations && !this.view.locked.has(outpointKey(coin.txid, coin.vout)),
    );
  }
  private isOwnTx(tx: Tx): boolean {
    return !isCoinbase(tx) && tx.inputs.every((input) => this.isMine(this.addressSpent(input.txid, input.vout)));
  }
  private addressSpent(txid: string, vout: number): string | undefined {
    const output = this.view.mempool.output(txid, vout);
    return output && addressOf(output.script);
  }

  /** All coins of own keys, collaterals included, in patoshis. */
  balance(minConfirmations = 0): number {
    return sum(this.coins(this.ownAddresses).filter((coin) => coin.confirmations >= minConfirmations));
  }
  amounts(addresses: readonly string[]): Map<string, number> {
    const amounts = new Map<string, number>(addresses.map((address) => [address, 0]));
    for (const coin of this.coins(addresses)) amounts.set(coin.address, (amounts.get(coin.address) ?? 0) + coin.output.patoshis);
    return amounts;
  }

  /**
   * Builds and signs a payment. Refuses with -6 `Insufficient funds` where the coins do not reach the amount, and with -4 and the
   * text of pasteld where only the fee is missing or an output is dust.
   */
  pay(payment: Payment): Tx {
    if (payment.outputs.some(isDust)) throw new RpcError(RPC.wallet, 'Transaction amount too small');
    const coins = this.spendable(payment.minConfirmations, payment.from);
    const amount = payment.outputs.reduce((total, output) => total + output.patoshis, 0);
    if (sum(coins) < amount) throw new RpcError(RPC.funds, 'Insufficient funds');
    const outputBytes = payment.outputs.reduce((total, output) => total + output.script.length + 11, 0);
    let fee = 0;
    for (;;) {
      const chosen = selectCoins(coins, payment.feePaidBy?.length ? amount : amount + fee, payment.order, payment.preferred);
      if (!chosen) throw new RpcError(RPC.wallet, feeMissing(fee));
      const bytes = BASE_BYTES + outputBytes + 36 + chosen.length * KEY_INPUT_BYTES;
      const needed = Math.min(FEE_MAX, Math.max(1, Math.floor((FEE_PER_KB * bytes) / 1000)));
      if (needed <= fee) return this.signed(payment, chosen, amount, fee);
      fee = needed;
    }
  }
  private signed(payment: Payment, coins: readonly Coin[], amount: number, fee: number): Tx {
    const outputs = payment.feePaidBy?.length ? lessFee(payment.outputs, payment.feePaidBy, fee) : [...payment.outputs];
    const rest = sum(coins) - amount - (payment.feePaidBy?.length ? 0 : fee);
    if (rest >= DUST_PATOSHIS) {
      const last = coins.at(-1)?.address ?? '';
      const script = scriptOf(payment.change === 'original' ? last : payment.change.address);
      if (!script) throw new RpcError(RPC.internal, 'The change has no address');
      outputs.splice(payment.changePosition?.(outputs.length) ?? outputs.length, 0, { patoshis: rest, script });
    }
    const tx = signTx(
      {
        inputs: coins.map((coin) => ({
          txid: coin.txid,
          vout: coin.vout,
          script: Buffer.alloc(0),
          sequence: SEQUENCE_FINAL - 1,
        })),
        outputs,
        lockTime: 0,
        expiryHeight: this.view.ledger.height + 1 + EXPIRY_BLOCKS,
      },
      coins.map((coin) => ({ output: coin.output, key: this.keys.get(coin.address) as KeyPair })),
    );
    if (tx.size > TRANSACTION_BYTES_MAX) throw new RpcError(RPC.wallet, 'Transaction too large');
    return tx;
  }
}

function lessFee(outputs: readonly TxOutput[], payers: readonly number[], fee: number): TxOutput[] {
  return outputs.map((output, place) => {
    const at = payers.indexOf(place);
    if (at < 0) return output;
    const share = Math.floor(fee / payers.length) + (at === 0 ? fee % payers.length : 0);
    const left = { ...output, patoshis: output.patoshis - share };
    if (left.patoshis < 0 || isDust(left)) throw new RpcError(RPC.wallet, 'The transaction amount is too small to pay the fee');
    return left;
  });
}
const feeMissing = (patoshis: number): string =>
  `Error: This transaction requires a transaction fee of at least ${(patoshis / 100_000).toFixed(5)} because of its amount, complexity, or use of recently received funds!`;
