import type { MasternodeMessage, Supernode } from '#chain';

/** How far ahead of ours a sender's clock may be; pasteld takes any. */
const CLOCK_AHEAD_MAX_MS = 15 * 60_000;
/** How long a message waits for its sender or receiver to be listed (again), or for the clock here to come near its time. */
export const DEFERRED_MAX_MS = 6 * 3_600_000;

const DAY_MS = 86_400_000;
/** The last second that a date can show. */
const SECONDS_MAX = 8.64e12;
export const obsoleteBefore = (now: Date, days: number): Date => new Date(now.getTime() - days * DAY_MS);

/** Both ends of a message, as the supernode list knows them. */
export interface Ends {
  readonly senderPastelId: string;
  readonly senderPubkey: string;
  readonly receiverPastelId: string;
}

/** Undefined while one of them is not listed, or has no PastelID or key. */
export function endsOf(item: MasternodeMessage, listed: ReadonlyMap<string, Supernode>): Ends | undefined {
  const [sender, receiver] = [listed.get(item.from), listed.get(item.to)];
  if (!sender?.pastelId || !sender.pubkey || !receiver?.pastelId) return undefined;
  return { senderPastelId: sender.pastelId, senderPubkey: sender.pubkey, receiverPastelId: receiver.pastelId };
}

/** Each id once, what is obsolete or nonsense left out, oldest first; of one second, by id, so that every replica agrees. */
export function candidates(
  inbox: readonly MasternodeMessage[],
  from: Date,
  isSettled: (id: string) => boolean,
): MasternodeMessage[] {
  const byId = new Map<string, MasternodeMessage>();
  for (const item of inbox) if (item.timestamp * 1000 >= from.getTime() && !isSettled(item.id)) byId.set(item.id, item);
  return [...byId.values()].sort((a, b) => a.timestamp - b.timestamp || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

const isTooFarAhead = (item: MasternodeMessage, now: Date): boolean => item.timestamp * 1000 > now.getTime() + CLOCK_AHEAD_MAX_MS;

/** Why a message has to wait; undefined where it need not. It may be our own clock or list that is wrong, so it is not refused at once. */
export function waitsFor(item: MasternodeMessage, ends: Ends | undefined, now: Date): string | undefined {
  if (!ends) return `its sender ${item.from} or receiver ${item.to} is no listed supernode`;
  if (!isTooFarAhead(item, now)) return undefined;
  const sentAt = new Date(storableSeconds(Math.min(item.timestamp, SECONDS_MAX)) * 1000).toISOString();
  return `its time ${sentAt} is more than ${CLOCK_AHEAD_MAX_MS / 60_000} minutes ahead of the clock here, ${now.toISOString()}`;
}

/** A time stamp that fits an integer column, whatever pasteld said. */
export const storableSeconds = (timestamp: number): number =>
  Math.trunc(Math.min(Math.max(timestamp, 0), Number.MAX_SAFE_INTEGER)) || 0;
