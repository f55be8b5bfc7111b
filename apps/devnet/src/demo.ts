import {
  auditInference,
  balanceOf,
  createPastelId,
  fundTrackingAddress,
  packsOf,
  purchaseCreditPack,
  runInference,
  type UserSide,
  type WalletSide,
} from '#client';
import { Environment, readSettings, SystemClock, SystemEntropy } from '#config';
import { networks, pooledChecking } from '#protocol';
import { JsonRpcChain, JsonRpcClient, JsonRpcIdentity, JsonRpcSupernodeNetwork, JsonRpcWallet, signingBy } from '#rpc';
import { RPC_HOST, RPC_PORT, USER } from './network.js';
import { psl, short, type Screen } from './screen.js';
import type { DemoUser, UserFile } from './user-file.js';

const CREDITS = 1500;
const PASSPHRASE = 'devnet user';
const PROMPT = 'Say hello to the Pastel network.';
const credits = (tenths: number): string => `${tenths / 10} credits`;

/** The user's side of the devnet: the same client library that every user has, over HTTP alone. */
function openUserNode(screen: Screen): { side: WalletSide; network: JsonRpcSupernodeNetwork; close(): void } {
  const clock = new SystemClock();
  const settings = readSettings(
    new Environment({ RPC_HOST, RPC_PORT: String(RPC_PORT), RPC_USER: USER.user, RPC_PASSWORD: USER.password }),
  );
  const rpc = new JsonRpcClient(settings.rpc, clock);
  const side = {
    chain: new JsonRpcChain(rpc),
    wallet: new JsonRpcWallet(rpc),
    identity: new JsonRpcIdentity(rpc),
    clock,
    report: ({ text, waitsFor }: { text: string; waitsFor?: string }) =>
      screen.progress(waitsFor === undefined ? text : `${text}; waiting for ${waitsFor}`),
  };
  const network = new JsonRpcSupernodeNetwork(rpc, clock, { listMaxAgeMs: 60_000, apiPort: 'listed', pastelId: undefined });
  return { side, network, close: () => rpc.close() };
}

/** What a new user does, step by step in front of whoever watches. What was done on an earlier run is not done again. */
export async function runDemo(screen: Screen, file: UserFile): Promise<DemoUser> {
  const node = openUserNode(screen);
  try {
    let user = file.load();
    const newAddress = user?.trackingAddress === undefined;
    // Both wait for the same block.
    const funded = newAddress
      ? await screen.run(
          'Fund a tracking address',
          () => fundTrackingAddress(node.side, CREDITS),
          ({ address, patoshis }) => `${psl(patoshis)} on ${address}`,
        )
      : undefined;
    user ??= await makeUser(screen, node.side, file);
    if (funded) user = file.save({ ...user, trackingAddress: funded.address });
    const side: UserSide = {
      ...node.side,
      network: node.network,
      signing: signingBy(node.side.identity, user.pastelId, user.passphrase),
      checking: pooledChecking,
      entropy: new SystemEntropy(),
      burnAddress: networks.devnet.burnAddress,
    };
    if (user.packTxid !== undefined && (await knownPack(screen, side, user.packTxid))) return user;
    const packTxid = await buy(screen, side, user.trackingAddress!);
    user = file.save({ ...user, packTxid });
    await infer(screen, side, packTxid);
    return user;
  } finally {
    node.close();
  }
}

async function makeUser(screen: Screen, side: WalletSide, file: UserFile): Promise<DemoUser> {
  const { pastelId } = await screen.run(
    'Make a PastelID and register it on the chain',
    () => createPastelId(side, { passphrase: PASSPHRASE }),
    ({ pastelId, patoshis }) => `${short(pastelId)} for ${psl(patoshis)}`,
  );
  return file.save({ pastelId, passphrase: PASSPHRASE });
}

async function knownPack(screen: Screen, side: UserSide, packTxid: string): Promise<boolean> {
  const packs = await screen.run(
    'Look up the packs of the last run',
    () => packsOf(side),
    (found) => `${found.length} on the chain`,
  );
  if (!packs.some(({ registrationTxid }) => registrationTxid === packTxid)) return false;
  await screen.run(
    'Ask for the balance',
    () => balanceOf(side, packTxid),
    ({ balanceTenths }) => `${credits(balanceTenths)} left in pack ${short(packTxid)}`,
  );
  return true;
}

async function buy(screen: Screen, side: UserSide, trackingAddress: string): Promise<string> {
  const pack = await screen.run(
    `Buy a pack of ${CREDITS} credits`,
    () => purchaseCreditPack(side, { credits: CREDITS, trackingAddress }),
    (bought) =>
      `${psl(bought.patoshis)} burned, ${bought.agreeingPastelIds.length} supernodes agreed, ticket ${short(bought.registrationTxid)}`,
  );
  return pack.registrationTxid;
}

async function infer(screen: Screen, side: UserSide, packTxid: string): Promise<void> {
  const outcome = await screen.run(
    'Run a text completion paid from the pack',
    () =>
      runInference(side, { packTxid, model: 'sandbox-echo', input: PROMPT, parameters: { number_of_tokens_to_generate: 200 } }),
    ({ costTenths, supernodeUrl, output }) =>
      `${credits(costTenths)} at ${supernodeUrl}, signature good: ${JSON.stringify(output)}`,
  );
  await screen.run(
    'Have other supernodes audit it',
    () => auditInference(side, { response: outcome.response, result: outcome.result, servedBy: outcome.supernodePastelId }),
    ({ agreeing, auditors }) => `${agreeing} of ${auditors.length} hold the same response and result`,
  );
  await screen.run(
    'Ask for the balance',
    () => balanceOf(side, packTxid),
    ({ balanceTenths }) => `${credits(balanceTenths)} left`,
  );
}
