import type { Supernode } from '#chain';
import { byDistanceTo } from '#protocol';
import { byReputation } from './reputation.js';
import { ClientError, isSupernodeTrouble, type UserSide } from './side.js';
import { SupernodeClient } from './supernode-client.js';

export interface Candidate {
  readonly supernode: Supernode;
  readonly pastelId: string;
  readonly client: SupernodeClient;
}
export interface Choice {
  readonly count: number;
  /** PastelIDs that are not asked. */
  readonly except?: readonly string[];
  /** Reorders the chosen ones: by what the others think of each, or as told; negative puts the first before the second. */
  readonly tieBreak?: 'reputation' | ((a: Supernode, b: Supernode) => number);
}

const PROBE_TIMEOUT_MS = 3_000;
const CALL_TIMEOUT_MS = 60_000;

/** Listed supernodes with a PastelID, closest to `text` first (credit-packs spec 5.1). */
export async function closestTo(side: UserSide, text: string): Promise<Candidate[]> {
  const listed = new Map(
    (await side.network.list()).flatMap((supernode) =>
      supernode.pastelId === undefined ? [] : [[supernode.pastelId, supernode] as const],
    ),
  );
  return byDistanceTo(text, [...listed.keys()]).map((pastelId) => candidateOf(side, listed.get(pastelId)!, pastelId));
}
export function candidateOf(side: UserSide, supernode: Supernode, pastelId: string): Candidate {
  const { signing, checking } = side;
  return {
    supernode,
    pastelId,
    client: new SupernodeClient({ url: side.network.urlOf(supernode), signing, checking, timeoutMs: CALL_TIMEOUT_MS }),
  };
}

/** The closest ones to the user that answer on their front page and say that they are alive. Asked in groups, so that a dead one costs little. */
export async function reachableSupernodes(side: UserSide, { count, except = [], tieBreak }: Choice): Promise<Candidate[]> {
  const candidates = (await closestTo(side, side.signing.pastelId)).filter(({ pastelId }) => !except.includes(pastelId));
  const chosen: Candidate[] = [];
  for (let at = 0; at < candidates.length && chosen.length < count; at += count) {
    const group = candidates.slice(at, at + count);
    const alive = await Promise.all(group.map(({ client }) => isAlive(client)));
    chosen.push(...group.filter((_, n) => alive[n]));
  }
  if (chosen.length === 0) {
    throw new ClientError(
      'no-supernode',
      `None of the ${candidates.length} listed supernodes answers`,
      'Is this machine connected, and is the supernode list of your node up to date?',
    );
  }
  const nearest = chosen.slice(0, count);
  if (tieBreak === 'reputation') return byReputation(nearest);
  return tieBreak ? nearest.sort((a, b) => tieBreak(a.supernode, b.supernode)) : nearest;
}

async function isAlive(client: SupernodeClient): Promise<boolean> {
  try {
    const [{ status }] = await Promise.all([
      client.liveness({ timeoutMs: PROBE_TIMEOUT_MS }),
      client.reachable({ timeoutMs: PROBE_TIMEOUT_MS }),
    ]);
    return status === 'alive';
  } catch (error) {
    if (isSupernodeTrouble(error)) return false;
    throw error;
  }
}
