import { ChainUnavailable, type Transaction } from '#chain';
import { pslText } from '#protocol';
import { paid } from './create-pastelid.js';
import { ClientError, waitUntil, type UserSide } from './side.js';

export interface BurnIntent {
  readonly patoshis: number;
  /** Height when the burn was about to be sent; it cannot stand at a lower one. */
  readonly fromHeight: number;
  /** Names the transaction as the user's own, beside the amount: inputs or change. Absent where the amount alone is telling. */
  readonly trackingAddress?: string;
  /** Burns that look like it and are not, for certain. */
  readonly except?: readonly string[];
}

/** pasteld's transactions expire 20 blocks after the next one (pasteld spec B.5); one more for a reader that lags. */
const EXPIRY_BLOCKS = 22;
const SEARCH_BLOCKS = 3;
const TIMEOUT_MS = 30 * 60_000;

/**
 * Sends a burn once. The caller has written its intent down before; if the answer of the node is lost, the chain is
 * searched, never paid again.
 */
export async function burn(side: UserSide, intent: BurnIntent, send: () => Promise<string>): Promise<string> {
  try {
    return await paid(send(), intent.patoshis);
  } catch (error) {
    if (!(error instanceof ChainUnavailable)) throw error;
    side.report?.({
      step: 'burn',
      text: 'The node did not say whether it sent the burn',
      waitsFor: 'the burn to show in a block',
    });
    const found = await findBurn(side, intent);
    if (found === undefined) throw new ClientError('burn-uncertain', error.message, 'Nothing was sent. Try again.');
    return found;
  }
}

/**
 * The burn that was meant to be sent, if it ever was. Undefined only when that is certain: a transaction that is not mined
 * until it expires will never be.
 */
export async function findBurn(side: UserSide, intent: BurnIntent): Promise<string | undefined> {
  const searched = async (): Promise<{ readonly txid?: string } | undefined> => {
    const tip = await side.chain.height();
    const found = (await waitingBurn(side, intent)) ?? (await minedBurn(side, intent, tip));
    if (found !== undefined) return { txid: found };
    if (tip > intent.fromHeight + EXPIRY_BLOCKS) return {};
    if (tip <= intent.fromHeight + SEARCH_BLOCKS) return undefined;
    throw new ClientError(
      'burn-uncertain',
      `It is not known whether ${pslText(intent.patoshis)} PSL were burned; paying again might pay twice`,
      `Run the same command again: now, to look once more, or after block ${intent.fromHeight + EXPIRY_BLOCKS}, when it is certain.`,
    );
  };
  const found = await waitUntil(
    side,
    { what: 'the burn to show in a block', timeoutMs: TIMEOUT_MS, everyMs: 2_000, everyMsMax: 15_000, growth: 1.3 },
    searched,
  );
  return found.txid;
}

async function waitingBurn(
  { chain, burnAddress }: UserSide,
  { trackingAddress, patoshis, fromHeight, except = [] }: BurnIntent,
): Promise<string | undefined> {
  if (trackingAddress === undefined) return undefined;
  const sent = await chain.outputsSentBy(trackingAddress, burnAddress, fromHeight);
  return sent.find((output) => output.patoshis === patoshis && !except.includes(output.txid))?.txid;
}
async function minedBurn({ chain, burnAddress }: UserSide, intent: BurnIntent, tip: number): Promise<string | undefined> {
  for (const txid of await chain.transactionIdsOf(burnAddress, intent.fromHeight, tip)) {
    if (intent.except?.includes(txid)) continue;
    const transaction = await chain.transaction(txid);
    if (transaction && isIt(transaction, intent, burnAddress)) return txid;
  }
  return undefined;
}
function isIt({ inputs, outputs }: Transaction, { patoshis, trackingAddress }: BurnIntent, burnAddress: string): boolean {
  if (!outputs.some((output) => output.address === burnAddress && output.patoshis === patoshis)) return false;
  return trackingAddress === undefined || [...inputs, ...outputs].some(({ address }) => address === trackingAddress);
}
