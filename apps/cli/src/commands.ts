import {
  balanceOf,
  createPastelId,
  fundTrackingAddress,
  packsOf,
  purchaseCreditPack,
  SupernodeClient,
  type PurchaseState,
  type SpendablePack,
} from '#client';
import { patoshisFromPsl, pslText } from '#protocol';
import { defaultPack, nothingOfTrouble, PROBE_TIMEOUT_MS, type Context } from './context.js';
import { credits, printResult, table, UsageError } from './output.js';

const SUPERNODES_SHOWN_MAX = 1_000;

export async function network({ node, terminal, json }: Context): Promise<void> {
  const { chain, wallet, network: supernodes, checking } = node.observer;
  const [height, balance, listed] = await Promise.all([chain.height(), wallet.balance(), supernodes.list()]);
  // Liveness and menu take no signature.
  const nobody = { pastelId: '', sign: () => Promise.reject(new Error('nothing to sign')) };
  const rows = await Promise.all(
    listed.slice(0, SUPERNODES_SHOWN_MAX).map(async (supernode) => {
      const client = new SupernodeClient({
        url: supernodes.urlOf(supernode),
        signing: nobody,
        checking,
        timeoutMs: PROBE_TIMEOUT_MS,
      });
      const asked = await Promise.all([client.liveness(), client.modelMenu()]).catch(nothingOfTrouble);
      const models = asked ? asked[1].map(({ name }) => name) : [];
      return {
        pastelId: supernode.pastelId ?? '',
        url: client.url,
        rank: supernode.rank ?? 0,
        alive: asked !== undefined,
        models,
      };
    }),
  );
  const value = { network: node.networkName, height, balance_psl: pslText(balance), supernodes: rows };
  const lines = rows.map(({ rank, url, alive, pastelId, models }) => [
    String(rank),
    url,
    alive ? 'alive' : 'no answer',
    pastelId,
    models.join(' '),
  ]);
  const text = `${node.networkName}, block ${height}, ${pslText(balance)} PSL in the wallet\n${table([['rank', 'address', 'state', 'PastelID', 'models'], ...lines])}`;
  printResult(terminal, json, value, text);
}

export async function pastelid({ node, terminal, json }: Context): Promise<void> {
  const passphrase = node.passphrase;
  if (passphrase === undefined) throw new UsageError('Set LOCAL_PASTEL_ID_PASSPHRASE to the passphrase of the new PastelID');
  const { pastelId, patoshis } = await createPastelId(node.walletSide, { passphrase });
  printResult(
    terminal,
    json,
    { pastelid: pastelId, cost_psl: pslText(patoshis) },
    `${pastelId}\nUse it by LOCAL_PASTEL_ID or --pastelid.`,
  );
}

export interface BuyOptions {
  readonly trackingAddress?: string;
  readonly maxPrice?: string;
  readonly authorise?: string[];
}
export async function buy({ node, terminal, json }: Context, amount: string, options: BuyOptions): Promise<void> {
  const wanted = wholeNumber(amount, 'credits');
  const patoshisPerCreditMax = options.maxPrice === undefined ? undefined : amountOfPsl(options.maxPrice);
  const side = await node.userSide();
  const journal = node.file<PurchaseState>(`purchase-${side.signing.pastelId}.json`);
  const pack = await purchaseCreditPack(side, {
    credits: wanted,
    trackingAddress: async () => options.trackingAddress ?? (await fundTrackingAddress(side, wanted)).address,
    journal,
    ...(patoshisPerCreditMax !== undefined && { patoshisPerCreditMax }),
    ...(options.authorise && { authorisedPastelIds: [...new Set([side.signing.pastelId, ...options.authorise])] }),
  });
  const value = {
    registration_txid: pack.registrationTxid,
    burn_txid: pack.burnTxid,
    credits: pack.credits,
    cost_psl: pslText(pack.patoshis),
    psl_per_credit: pslText(pack.patoshisPerCredit),
    tracking_address: pack.trackingAddress,
    supernode: pack.sellerPastelId,
    agreeing_supernodes: pack.agreeingPastelIds,
  };
  const text = `Bought ${pack.credits} credits for ${pslText(pack.patoshis)} PSL.\nPack: ${pack.registrationTxid}\nTracking address: ${pack.trackingAddress}`;
  printResult(terminal, json, value, text);
}

const packJson = (pack: SpendablePack) => ({
  registration_txid: pack.registrationTxid,
  credits: pack.initialTenths / 10,
  balance: pack.balanceTenths === undefined ? null : pack.balanceTenths / 10,
  tracking_address: pack.trackingAddress,
  burn_txid: pack.burnTxid,
  psl_per_credit: pslText(pack.pricePerCreditPatoshis),
});
export async function packs({ node, terminal, json }: Context): Promise<void> {
  const found = await packsOf(await node.userSide());
  const rows = found.map((pack) => [
    pack.registrationTxid,
    credits(pack.initialTenths),
    pack.balanceTenths === undefined ? '?' : credits(pack.balanceTenths),
    pack.trackingAddress,
  ]);
  const text =
    rows.length === 0
      ? 'No credit packs. Buy one: pastel-inference buy 1500'
      : table([['pack', 'credits', 'left', 'tracking address'], ...rows]);
  printResult(terminal, json, found.map(packJson), text);
}

export async function balance({ node, terminal, json }: Context, packTxid?: string): Promise<void> {
  const side = await node.userSide();
  const txid = packTxid ?? (await defaultPack(node, side));
  const { balanceTenths, usageBurns } = await balanceOf(side, txid);
  printResult(
    terminal,
    json,
    { registration_txid: txid, balance: balanceTenths / 10, burns: usageBurns },
    `${credits(balanceTenths)} credits left in ${txid} after ${usageBurns} burns`,
  );
}

function wholeNumber(text: string, what: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new UsageError(`${text} is no whole number of ${what}`);
  return Number(text);
}
function amountOfPsl(text: string): number {
  const patoshis = patoshisFromPsl(text);
  if (patoshis === undefined || patoshis <= 0) throw new UsageError(`${text} is no amount of PSL`);
  return patoshis;
}
/** `name=value`; a value that is JSON counts as such, anything else as text. */
