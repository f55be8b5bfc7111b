import { coinbase } from './block.js';
import { randomBytes } from './bytes.js';
import type { DevnetCore } from './core.js';
import type { DevnetOptions } from './options.js';
import { keyPair, scriptOf, type KeyPair } from './keys.js';
import { newPastelId } from './pastelids.js';
import { registerMasternodeId } from './registration.js';
import type { TxOutput } from './transaction.js';

const PSL = 100_000;
const USER_COINS = { count: 24, patoshis: 500_000 * PSL };
const USER_SAVINGS = { count: 10, patoshis: 5_000 * PSL };
const SUPERNODE_COINS = { count: 40, patoshis: 1_000 * PSL };
const COLLATERAL_PATOSHIS = 1_000_000 * PSL;
/** So that the first coinbase has matured when the devnet opens. */
const MATURING_BLOCKS = 99;
/** `tickets list id mn` wants five. */
const TICKET_CONFIRMATIONS = 5;

/**
 * The first blocks of a new devnet:
 * 1. one whose coinbase funds the user, each supernode and its collateral;
 * 2. empty ones until those coins have matured;
 * 3. one with the supernodes' PastelID tickets, and those that confirm it.
 * Their times lie in the past, one every 15 seconds, so that the chain's clock is right when it opens.
 */
export async function begin(devnet: DevnetCore, options: DevnetOptions): Promise<void> {
  const { state } = devnet;
  const secondsEach = 15;
  const blocks = 1 + MATURING_BLOCKS + 1 + TICKET_CONFIRMATIONS;
  let time = Math.floor(options.clock.now().getTime() / 1000) - blocks * secondsEach;
  const mine = (premine?: TxOutput[]): void => {
    devnet.mineAt((time += secondsEach), premine && coinbase(state.ledger.height + 1, 0, '00'.repeat(8), premine));
  };

  const coins = (key: KeyPair, { count, patoshis }: { count: number; patoshis: number }): TxOutput[] =>
    Array.from({ length: count }, () => ({ patoshis, script: scriptOf(key.address) as Buffer }));
  const account = (user: string): void => devnet.record({ kind: 'account', user });
  const key = (user: string, label: string): KeyPair => devnet.newKey(user, label);

  account(options.user.user);
  const nodes = options.supernodes.map((node) => node.user);
  nodes.forEach(account);
  const collaterals = nodes.map((user) => coins(key(user, 'collateral'), { count: 1, patoshis: COLLATERAL_PATOSHIS }));
  const premine = [
    ...collaterals.flat(),
    ...coins(key(options.user.user, 'main'), USER_COINS),
    ...coins(key(options.user.user, 'savings'), USER_SAVINGS),
    ...nodes.flatMap((user) => coins(key(user, 'tickets'), SUPERNODE_COINS)),
  ];
  mine(premine);
  const funding = state.ledger.tip.txids[0] as string;
  for (let i = 0; i < MATURING_BLOCKS; i++) mine();

  for (const [vout, { user, password, passphrase }] of options.supernodes.entries()) {
    const sealed = await newPastelId(passphrase ?? password, options.entropy);
    devnet.record({ kind: 'pastelid', user, key: sealed });
    const payee = state.account(user).wallet.ownAddresses[0] as string;
    const secret = keyPair(randomBytes(options.entropy, 32), false).secret.toString('hex');
    devnet.record({ kind: 'masternode', node: { user, txid: funding, vout, secret, payee, pastelId: sealed.pastelId } });
    await registerMasternodeId(devnet, state.account(user), sealed.pastelId, passphrase ?? password);
  }
  mine();
  for (let i = 0; i < TICKET_CONFIRMATIONS; i++) mine();
}
