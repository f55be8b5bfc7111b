import type { Json } from '#protocol';
import type { DevnetCore } from '../core.js';
import { RPC, RpcError } from '../rpc-error.js';
import type { Account } from '../state.js';
import { addressIndexMethods } from './address-index.js';
import { Args } from './args.js';
import { chainMethods } from './chain.js';
import { controlMethods } from './control.js';
import { devnetMethods } from './devnet-controls.js';
import { keyMethods } from './keys.js';
import { masternodeMethods } from './masternode.js';
import type { Method } from './method.js';
import { pastelIdMethods } from './pastelid.js';
import { rawTransactionMethods } from './raw-transactions.js';
import type { Reply } from './reply.js';
import { storageFeeMethods } from './storage-fee.js';
import { ticketMethods } from './tickets.js';
import { historyMethods } from './wallet-history.js';
import { walletMethods } from './wallet.js';

/** Every RPC method, by name. */
export const methods: ReadonlyMap<string, Method> = new Map(
  [
    controlMethods,
    chainMethods,
    rawTransactionMethods,
    walletMethods,
    historyMethods,
    keyMethods,
    addressIndexMethods,
    masternodeMethods,
    pastelIdMethods,
    ticketMethods,
    storageFeeMethods,
    devnetMethods,
  ].flatMap((table) => Object.entries(table)),
);

/** Runs one call for the holder of a credential. Throws {@link RpcError}; anything else is a bug here, and is -1 as in pasteld. */
export async function dispatch(devnet: DevnetCore, account: Account, method: string, params: readonly Json[]): Promise<Reply> {
  const known = methods.get(method);
  if (!known) throw new RpcError(RPC.unknownMethod, 'Method not found');
  return await known.run({ devnet, account, args: new Args(params, known.usage) });
}
