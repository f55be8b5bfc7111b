import { PATOSHIS_PER_PSL, pslText, TENTHS_PER_CREDIT } from '#protocol';
import { paid } from './create-pastelid.js';
import type { WalletSide } from './side.js';

export interface FundedAddress {
  readonly address: string;
  readonly txid: string;
  readonly patoshis: number;
}

/** A patoshi is a tenth of a credit; each request pays the wallet's fee as well, about this much for one credit. */
const FEES_PER_CREDIT_PATOSHIS = 250;
const RESERVE_PATOSHIS = PATOSHIS_PER_PSL;

/** Makes the address whose burns will say how much of a pack is used, and gives it coins for all of them. Does not wait for a block. */
export async function fundTrackingAddress(side: Pick<WalletSide, 'wallet' | 'report'>, credits: number): Promise<FundedAddress> {
  const patoshis = Math.ceil(credits * (TENTHS_PER_CREDIT + FEES_PER_CREDIT_PATOSHIS)) + RESERVE_PATOSHIS;
  const address = await side.wallet.newAddress();
  const txid = await paid(side.wallet.sendToAddress(address, patoshis, 'Credit usage tracking address'), patoshis);
  side.report?.({ step: 'tracking address', text: `Put ${pslText(patoshis)} PSL on the tracking address ${address}` });
  return { address, txid, patoshis };
}
