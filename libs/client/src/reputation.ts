import { isSupernodeTrouble } from './side.js';
import type { SupernodeClient } from './supernode-client.js';

interface Judged {
  readonly pastelId: string;
  readonly client: SupernodeClient;
}

/** Who is asked about the others, and how long. */
const WITNESSES_MAX = 3;
const TIMEOUT_MS = 1_500;
/** What a supernode counts as that nobody has an opinion of: what a new one starts with (docs/reputation.md). */
const SCORE_ASSUMED = 3.25;
/** Smaller differences say nothing. */
const STEP = 0.5;

/**
 * The same candidates, those of clearly better reputation first; who is thought of alike stays in place. Some of the candidates are asked
 * about the others, never about themselves, and the middle opinion counts, so that one liar changes nothing. At most three short calls
 * for each candidate; silence is no opinion.
 */
export async function byReputation<C extends Judged>(candidates: readonly C[]): Promise<C[]> {
  if (candidates.length < 2) return [...candidates];
  const scores = await Promise.all(candidates.map((candidate) => opinionOn(candidate, candidates)));
  const rank = new Map(candidates.map((candidate, n) => [candidate, Math.round(scores[n]! / STEP)]));
  return [...candidates].sort((a, b) => rank.get(b)! - rank.get(a)!);
}

async function opinionOn(candidate: Judged, candidates: readonly Judged[]): Promise<number> {
  const witnesses = candidates.filter((other) => other !== candidate).slice(0, WITNESSES_MAX);
  const opinions = await Promise.all(
    witnesses.map(({ client }) => client.reputation(candidate.pastelId, { timeoutMs: TIMEOUT_MS }).catch(nothingOfTrouble)),
  );
  const heard = opinions.filter((score) => score !== undefined).sort((a, b) => a - b);
  return heard[Math.floor((heard.length - 1) / 2)] ?? SCORE_ASSUMED;
}

function nothingOfTrouble(error: unknown): undefined {
  if (isSupernodeTrouble(error)) return undefined;
  throw error;
}
