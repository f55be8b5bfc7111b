import { ClientError, fundTrackingAddress, isSupernodeTrouble, memoryJournal, purchaseCreditPack, SupernodeRefused, type PurchasedPack, type PurchaseState, type UserSide } from '#client'; // prettier-ignore
import { CREDIT_PACK_TICKET_SUBTYPE, type Signing } from '#protocol';
import type { Reply } from '../../support/http-app.js';
import { first } from '../../support/network.js';
import { breath } from '../../support/turns.js';
import type { World } from './world.js';

/** Something that somebody does with the patient's help, from beginning to end whatever happens on the way; checks what came of it. */
export type Story = (world: World, chance: () => number) => Promise<void>;

const TRIES_MAX = 8;
const INSISTING_MAX = 400;
const PASSING = ['no-supernode', 'not-sold', 'not-run', 'not-completed', 'burn-uncertain', 'timeout'];
const isPassing = (error: unknown): boolean =>
  error instanceof ClientError
    ? PASSING.includes(error.code)
    : isSupernodeTrouble(error) && !(error instanceof SupernodeRefused && [403, 404, 409].includes(error.status));

/** As a user who runs the same command again until it succeeds. */
export async function again<T>(world: World, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await world.until(attempt());
    } catch (error) {
      if (!isPassing(error) || tries === TRIES_MAX) throw error;
      if (error instanceof ClientError && error.code === 'burn-uncertain') await world.mine(25);
      await world.advance(30_000);
      await world.mine();
      await world.sweep();
    }
  }
}

/** Does it until it works, whether or not the patient dies over it; clock and blocks stand still. */
export async function insisted<T>(world: World, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    await world.up();
    try {
      return await attempt();
    } catch (error) {
      if (tries === INSISTING_MAX) throw error;
      // That the patient is gone may not be known here yet.
      await breath();
    }
  }
}
/** What the patient says over HTTP. */
export const answered = (world: World, ask: () => Promise<Reply>): Promise<Reply> =>
  insisted(world, async () => {
    const reply = await ask();
    if (reply.status >= 500) throw new Error(reply.text);
    return reply;
  });

export interface Bought {
  readonly side: UserSide;
  readonly pack: PurchasedPack;
}
export async function bought(world: World, signing: Signing, credits: number, seller: string): Promise<Bought> {
  const side = world.side(signing);
  const { address } = await fundTrackingAddress(side, credits);
  await world.mine();
  const journal = memoryJournal<PurchaseState>();
  const pack = await again(world, () =>
    purchaseCreditPack(side, { credits, trackingAddress: address, journal, tieBreak: first(seller) }),
  );
  return { side, pack };
}

export const ticketsOf = (world: World): string[] =>
  world.network.devnet.state.tickets
    .contracts()
    .filter(({ record }) => record.subType === CREDIT_PACK_TICKET_SUBTYPE)
    .map(({ txid }) => txid);

/** What there was before the story. */
export interface Before {
  readonly height: number;
  readonly tickets: readonly string[];
}
export async function now(world: World): Promise<Before> {
  await world.mine();
  return { height: world.height + 1, tickets: ticketsOf(world) };
}
