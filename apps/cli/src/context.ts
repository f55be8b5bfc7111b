import { ClientError, isSupernodeTrouble, packsOf, type UserSide } from '#client';
import type { Terminal } from './output.js';
import type { UserNode } from './user-node.js';

/** What every command is given. */
export interface Context {
  readonly node: UserNode;
  readonly terminal: Terminal;
  readonly json: boolean;
}

/** For questions that a supernode that is well answers at once. */
export const PROBE_TIMEOUT_MS = 3_000;
export function nothingOfTrouble(error: unknown): undefined {
  if (isSupernodeTrouble(error)) return undefined;
  throw error;
}

/** That of the devnet's demo, or the first with credits left. */
export async function defaultPack(node: UserNode, side: UserSide): Promise<string> {
  const demo = await node.demoUser();
  if (demo?.packTxid !== undefined && demo.pastelId === side.signing.pastelId) return demo.packTxid;
  const pack = (await packsOf(side)).find(({ balanceTenths }) => balanceTenths === undefined || balanceTenths > 0);
  if (!pack) throw new ClientError('no-such-pack', 'No credit pack with credits left', 'Buy one: pastel-inference buy 1500');
  return pack.registrationTxid;
}
