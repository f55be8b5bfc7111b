import { closestTo, type Candidate } from './choice.js';
import { ClientError, isSupernodeTrouble, type UserSide } from './side.js';
import type { Balance, SpendablePack } from './shapes.js';

/** How many supernodes are asked at once, and how many groups of them. */
const GROUP = 3;
const GROUPS_MAX = 4;
const TIMEOUT_MS = 30_000;

/** The packs that the user may spend, as the supernode knows them that knows most; several are asked, since one may lag behind. */
export async function packsOf(side: UserSide): Promise<SpendablePack[]> {
  const answers = await firstAnswers(side, ({ client }) => client.packs({ timeoutMs: TIMEOUT_MS }));
  return answers.reduce((longest, answer) => (answer.length > longest.length ? answer : longest));
}

/** What is left of a pack, by its registration txid: the lowest of several answers, as one may not yet know the last burn. */
export async function balanceOf(side: UserSide, registrationTxid: string): Promise<Balance> {
  const answers = await firstAnswers(side, ({ client }) => client.balance(registrationTxid, { timeoutMs: TIMEOUT_MS }));
  return answers.reduce((lowest, answer) => (answer.balanceTenths < lowest.balanceTenths ? answer : lowest));
}

/** Of the closest group in which anybody answers. */
async function firstAnswers<T>(side: UserSide, ask: (candidate: Candidate) => Promise<T>): Promise<T[]> {
  const candidates = await closestTo(side, side.signing.pastelId);
  const reasons: string[] = [];
  for (let group = 0; group < GROUPS_MAX && group * GROUP < candidates.length; group++) {
    const answers = await Promise.all(
      candidates.slice(group * GROUP, (group + 1) * GROUP).map((candidate) =>
        ask(candidate).then(
          (answer) => [answer],
          (error: unknown): T[] => {
            if (!isSupernodeTrouble(error)) throw error;
            reasons.push(error.message);
            return [];
          },
        ),
      ),
    );
    if (answers.flat().length > 0) return answers.flat();
  }
  throw new ClientError('no-supernode', `No supernode answered: ${[...new Set(reasons)].slice(0, 3).join(' / ')}`);
}
