import { ChainRefusal, ChainUnavailable } from '#chain';
import { PATOSHIS_PER_PSL, pslText } from '#protocol';
import { ClientError, waitUntil, type WalletSide } from './side.js';

export interface CreatePastelIdOptions {
  readonly passphrase: string;
  /** One that was made before, as after a crash: it is only registered. */
  readonly pastelId?: string;
  readonly timeoutMs?: number;
}
export interface CreatedPastelId {
  readonly pastelId: string;
  readonly patoshis: number;
}

/** 1000 PSL (pasteld spec C.8). */
const PRICE_PATOSHIS = 1_000 * PATOSHIS_PER_PSL;
/** The price and the highest fee that the wallet pays. */
const NEEDED_PATOSHIS = PRICE_PATOSHIS + PATOSHIS_PER_PSL / 10;
/** Ten blocks of the public network, and then some. */
const TIMEOUT_MS = 30 * 60_000;

/**
 * Makes a PastelID and writes it to the chain.
 * 1. Makes the key in the node's store.
 * 2. Finds an address with 1000.1 PSL, or fills a new one.
 * 3. Registers; a lost answer is no reason to pay again.
 * 4. Waits until the ticket is mined.
 */
export async function createPastelId(
  side: WalletSide,
  { passphrase, pastelId: made, timeoutMs = TIMEOUT_MS }: CreatePastelIdOptions,
): Promise<CreatedPastelId> {
  const pastelId = made ?? (await side.identity.create(passphrase));
  side.report?.({ step: 'pastelid', text: `Made the PastelID ${pastelId}` });
  if (await side.identity.isRegistered(pastelId)) return { pastelId, patoshis: 0 };
  const address = await fundedAddress(side, timeoutMs);
  const mined = {
    what: 'the PastelID to be mined',
    timeoutMs,
    everyMs: 2_000,
    everyMsMax: 15_000,
    growth: 1.3,
    hint: `Later, register it again: ${pastelId}`,
  };
  try {
    await side.identity.register(pastelId, passphrase, address);
  } catch (error) {
    // Either it was registered all the same, or it shows in the end that it was not.
    if (!(error instanceof ChainUnavailable)) throw error;
  }
  side.report?.({
    step: 'registration',
    text: 'Paid for its registration',
    waitsFor: 'the next block',
    patoshis: PRICE_PATOSHIS,
  });
  await waitUntil(side, mined, () => side.identity.isRegistered(pastelId));
  side.report?.({ step: 'registered', text: 'The PastelID stands on the chain' });
  return { pastelId, patoshis: PRICE_PATOSHIS };
}

async function fundedAddress(side: WalletSide, timeoutMs: number): Promise<string> {
  const { wallet } = side;
  const funded = async (address?: string): Promise<string | undefined> =>
    [...(await wallet.addressAmounts())].find(
      ([own, patoshis]) => patoshis >= NEEDED_PATOSHIS && (address === undefined || own === address),
    )?.[0];
  const ready = await funded();
  if (ready !== undefined) return ready;
  const address = await wallet.newAddress();
  await paid(wallet.sendToAddress(address, NEEDED_PATOSHIS, 'PastelID registration'), NEEDED_PATOSHIS);
  side.report?.({ step: 'funding', text: `Sent ${pslText(NEEDED_PATOSHIS)} PSL to ${address}`, waitsFor: 'the coins to arrive' });
  return waitUntil(side, { what: `coins on ${address}`, timeoutMs, everyMs: 2_000, everyMsMax: 15_000, growth: 1.3 }, () =>
    funded(address),
  );
}

/** pasteld's "insufficient funds", in words that say how much. */
export async function paid(payment: Promise<string>, patoshis: number): Promise<string> {
  try {
    return await payment;
  } catch (error) {
    if (error instanceof ChainRefusal && error.code === -6) throw notEnoughCoins(patoshis);
    throw error;
  }
}
export const notEnoughCoins = (patoshis: number, has?: number): ClientError =>
  new ClientError(
    'not-enough-coins',
    `The wallet cannot pay ${pslText(patoshis)} PSL${has === undefined ? '' : `; it holds ${pslText(has)} PSL`}`,
    'Send PSL to an address of this wallet, wait until they are mined, and try again.',
  );
