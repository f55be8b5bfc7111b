import { ClientError, auditInference, balanceOf, createPastelId, fundTrackingAddress, isSupernodeTrouble, packsOf, purchaseCreditPack, rateInference, reachableSupernodes, runInference, SupernodeClient, type InferenceOutcome, type InferenceState, type PurchaseState, type SpendablePack, type UserSide } from '#client'; // prettier-ignore
import { InferenceAPIOutputResult, InferenceAPIUsageResponse, isJsonObject, patoshisFromPsl, pslText, readJson, received, sha3, tenthsFromCredits, toJson, writeJson, type Json, type MessageClass } from '#protocol'; // prettier-ignore
import { credits, printResult, table, UsageError, type Terminal } from './output.js';
import type { UserNode } from './user-node.js';

/** What every command is given. */
export interface Context {
  readonly node: UserNode;
  readonly terminal: Terminal;
  readonly json: boolean;
}

const PROBE_TIMEOUT_MS = 3_000;
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

export interface InferOptions {
  readonly pack?: string;
  readonly model?: string;
  readonly type: string;
  readonly param?: string[];
  readonly maxCredits: string;
}
export async function infer(context: Context, prompt: string, options: InferOptions): Promise<void> {
  const { node, terminal, json } = context;
  const tenthsMax = tenthsFromCredits(options.maxCredits);
  if (tenthsMax === undefined || tenthsMax < 1)
    throw new UsageError(`--max-credits takes a number of credits with one decimal, not ${options.maxCredits}`);
  const parameters = parametersIn(options.param ?? []);
  const side = await node.userSide();
  const { model, pack, type } = options;
  const wish = sha3(JSON.stringify([side.signing.pastelId, pack ?? '', model ?? '', type, prompt, parameters]));
  const outcome = await runInference(side, {
    // The same words again take up what was not finished.
    journal: node.file<InferenceState>('inferences', `unfinished-${wish}.json`),
    keep: (served) =>
      node
        .file<StoredInference>('inferences', `${served.response.inference_response_id}.json`)
        .save('user inference: result kept', stored(served)),
    packTxid: options.pack ?? (await defaultPack(node, side)),
    model: options.model ?? (await firstModel(side, options.type)),
    inferenceType: options.type,
    input: prompt,
    parameters,
    tenthsMax,
  });
  const value = {
    output: outcome.output,
    unserved: outcome.unserved ?? null,
    credits: outcome.costTenths / 10,
    inference_request_id: outcome.request.inference_request_id,
    inference_response_id: outcome.response.inference_response_id,
    supernode: outcome.supernodePastelId,
    burn_txid: outcome.burnTxid,
  };
  terminal.error(
    `  cost: ${credits(outcome.costTenths)} credits; to audit it: pastel-inference audit ${outcome.response.inference_response_id}`,
  );
  printResult(terminal, json, value, textOf(outcome.output));
  if (outcome.unserved)
    throw new ClientError(
      'not-run',
      `The supernode could not serve it: ${outcome.unserved.message}`,
      `It owes the credits by its note ${outcome.unserved.creditNoteId ?? ''}`.trim(),
    );
}

export async function audit({ node, terminal, json }: Context, responseId: string): Promise<void> {
  const kept = await keptInference(node, responseId);
  const side = await node.userSide();
  const outcome = await auditInference(side, { ...opened(kept), servedBy: kept.supernodePastelId });
  const rows = outcome.auditors.map(({ url, response, result, differences, reason }) => [
    url,
    response,
    result,
    differences.join(' ') || (reason ?? ''),
  ]);
  const text = `${table([['supernode', 'response', 'result', 'differs in'], ...rows])}\n${outcome.agreeing} of ${outcome.auditors.length} agree`;
  printResult(terminal, json, outcome, text);
  if (outcome.differing > 0) throw new ClientError('not-run', 'A supernode was told something else than you');
}

export async function rate({ node, terminal, json }: Context, responseId: string, score: string): Promise<void> {
  if (!/^\d(\.\d{1,2})?$/.test(score)) throw new UsageError(`${score} is no rating: 0 to 5, two decimals at most`);
  const kept = await keptInference(node, responseId);
  const { result } = opened(kept);
  const outcome = await rateInference(await node.userSide(), { result, servedBy: kept.supernodePastelId, score: Number(score) });
  printResult(terminal, json, outcome, `${outcome.taken} of ${outcome.asked} supernodes took the rating`);
  if (outcome.taken === 0) throw new ClientError('not-run', outcome.reasons[0] ?? 'No supernode took the rating');
}

async function keptInference(node: UserNode, responseId: string): Promise<StoredInference> {
  if (!/^[0-9a-f-]{36}$/.test(responseId)) throw new UsageError(`${responseId} is no id of an inference response`);
  const kept = await node.file<StoredInference>('inferences', `${responseId}.json`).load();
  if (!kept) throw new UsageError(`No inference ${responseId} was run from this folder; only what was kept here is known`);
  return kept;
}

/** Messages as JSON texts, so that numbers keep the printing that was hashed. */
interface StoredInference {
  readonly response: string;
  readonly result: string;
  readonly supernodePastelId: string;
}
const stored = ({ response, result, supernodePastelId }: InferenceOutcome): StoredInference => ({
  response: writeJson(toJson(response)),
  result: writeJson(toJson(result)),
  supernodePastelId,
});
const opened = ({ response, result }: StoredInference) => ({
  response: messageIn(InferenceAPIUsageResponse, response),
  result: messageIn(InferenceAPIOutputResult, result),
});
function messageIn<M extends object>(type: MessageClass<M>, text: string): M {
  const wire = readJson(text);
  if (!isJsonObject(wire)) throw new UsageError('The stored inference is damaged');
  return received(type, wire);
}

/** That of the devnet's demo, or the first with credits left. */
async function defaultPack(node: UserNode, side: UserSide): Promise<string> {
  const demo = await node.demoUser();
  if (demo?.packTxid !== undefined && demo.pastelId === side.signing.pastelId) return demo.packTxid;
  const pack = (await packsOf(side)).find(({ balanceTenths }) => balanceTenths === undefined || balanceTenths > 0);
  if (!pack) throw new ClientError('no-such-pack', 'No credit pack with credits left', 'Buy one: pastel-inference buy 1500');
  return pack.registrationTxid;
}

async function firstModel(side: UserSide, inferenceType: string): Promise<string> {
  for (const { client } of await reachableSupernodes(side, { count: 3 })) {
    const menu = await client.modelMenu({ timeoutMs: PROBE_TIMEOUT_MS }).catch(nothingOfTrouble);
    const model = menu?.find(({ inferenceTypes }) => inferenceTypes.includes(inferenceType));
    if (model) return model.name;
  }
  throw new ClientError(
    'not-run',
    `No supernode close by offers a model for ${inferenceType}`,
    'See `pastel-inference network` for what there is.',
  );
}

const textOf = (output: Json): string =>
  typeof output === 'string'
    ? output
    : Array.isArray(output) && output.every((item) => typeof item === 'string')
      ? output.join('\n')
      : writeJson(output);

function nothingOfTrouble(error: unknown): undefined {
  if (isSupernodeTrouble(error)) return undefined;
  throw error;
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
export function parametersIn(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--param takes name=value, not ${pair}`);
      const text = pair.slice(at + 1);
      try {
        return [pair.slice(0, at), readJson(text)];
      } catch {
        return [pair.slice(0, at), text];
      }
    }),
  );
}
