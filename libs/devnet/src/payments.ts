import type { DevnetCore } from './core.js';
import { scriptOf } from './keys.js';
import { RPC, RpcError } from './rpc-error.js';
import type { Account } from './state.js';
import type { Change, Payment } from './wallet.js';

export interface Send {
  readonly script: Buffer;
  readonly patoshis: number;
  readonly comment?: string;
  readonly to?: string;
  readonly subtractFee?: boolean;
  /** `original`, `new` or an address. */
  readonly change?: string;
}
export interface SendMany {
  readonly recipients: readonly { readonly address: string; readonly script: Buffer; readonly patoshis: number }[];
  readonly minConfirmations: number;
  readonly comment?: string;
  /** Recipients that pay the fee; what names nobody pays nothing. */
  readonly feePayers?: readonly string[];
  readonly change: string;
}

/** One payment from any coins of the wallet. */
export function sendToAddress(devnet: DevnetCore, account: Account, send: Send): string {
  if (send.patoshis <= 0) throw new RpcError(RPC.type, 'Invalid amount for send');
  const change = changeOf(devnet, account, send.change ?? 'original');
  return pay(devnet, account, {
    payment: {
      outputs: [{ script: send.script, patoshis: send.patoshis }],
      change,
      order: 'fewest',
      ...(send.subtractFee && { feePaidBy: [0] }),
    },
    comment: send.comment ?? '',
    to: send.to ?? '',
  });
}

/** Several payments at once. The last argument names where the change goes; its coins are spent first, unless a test says otherwise. */
export function sendMany(devnet: DevnetCore, account: Account, send: SendMany): string {
  const change = changeOf(devnet, account, send.change);
  const needed = send.recipients.reduce((total, { patoshis }) => total + patoshis, 0);
  const held = account.wallet.spendable(send.minConfirmations).reduce((total, coin) => total + coin.output.patoshis, 0);
  if (held < needed) {
    const [needs, has] = [needed, held].map((patoshis) => (patoshis / 100_000).toFixed(5));
    throw new RpcError(RPC.funds, `"Account has insufficient funds: needs ${needs} coins; has only ${has} coins spendable`);
  }
  const payers = send.recipients.flatMap(({ address }, place) => (send.feePayers?.includes(address) ? [place] : []));
  const prefers = change !== 'original' && devnet.preferChangeCoins;
  try {
    return pay(devnet, account, {
      payment: {
        outputs: send.recipients.map(({ script, patoshis }) => ({ script, patoshis })),
        change,
        order: 'fewest',
        minConfirmations: send.minConfirmations,
        feePaidBy: payers,
        ...(prefers && { preferred: change.address }),
      },
      comment: send.comment ?? '',
      to: '',
    });
  } catch (error) {
    // Whatever keeps the transaction from being made is -6 here.
    if (error instanceof RpcError && error.code === RPC.wallet) throw new RpcError(RPC.funds, error.message);
    throw error;
  }
}

function changeOf(devnet: DevnetCore, account: Account, change: string): Change {
  if (change === 'original') return 'original';
  if (change === 'new') return { address: devnet.newKey(account.user).address };
  if (!scriptOf(change)) {
    throw new RpcError(
      RPC.addressOrKey,
      `Invalid Pastel address [${change}] to send the change to. Supported values: [original, new, t-address]`,
    );
  }
  return { address: change };
}

function pay(
  devnet: DevnetCore,
  account: Account,
  { payment, comment, to }: { payment: Payment; comment: string; to: string },
): string {
  const tx = account.wallet.pay({ ...payment, changePosition: (outputs) => devnet.entropy.below(outputs + 1) });
  try {
    devnet.submit(tx, true);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    throw new RpcError(RPC.wallet, `Error: The transaction was rejected! ${error.message}`);
  }
  if (comment !== '' || to !== '') devnet.record({ kind: 'note', user: account.user, txid: tx.txid, comment, to });
  return tx.txid;
}
