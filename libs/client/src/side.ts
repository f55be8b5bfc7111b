import { ChainUnavailable, type Chain, type Identity, type SupernodeNetwork, type Wallet } from '#chain';
import { pythonTimestamp, type Checking, type Clock, type Entropy, type Signing } from '#protocol';
import { SupernodeRefused, SupernodeUnreachable, SupernodeUntrustworthy } from './errors.js';

/** What a story tells while it runs: one line a step. Amounts in patoshis and tenths of credits. */
export interface Progress {
  readonly step: string;
  readonly text: string;
  /** What happens elsewhere before the next step, where there is something to wait for. */
  readonly waitsFor?: string;
  /** What this step has spent. */
  readonly patoshis?: number;
  readonly tenths?: number;
}

/** The user's node, and the means of every story. */
export interface WalletSide {
  readonly chain: Chain;
  readonly wallet: Wallet;
  readonly identity: Identity;
  readonly clock: Clock;
  report?(progress: Progress): void;
}
/** The same with a PastelID to act as, and the supernodes to talk to. */
export interface UserSide extends WalletSide {
  readonly network: SupernodeNetwork;
  readonly signing: Signing;
  readonly checking: Checking;
  readonly entropy: Entropy;
  readonly burnAddress: string;
}

/** Where a story keeps what must survive a crash. */
export interface Journal<State> {
  readonly load: () => Promise<State | undefined>;
  /**
   * `undefined` forgets.
   * @param step `<story>: <what is stored>`, a literal that no other step has: crash tests stop right before or after it
   */
  readonly save: (step: `${string}: ${string}`, state: State | undefined) => Promise<void>;
}
export function memoryJournal<State>(): Journal<State> {
  let kept: State | undefined;
  return { load: async () => kept, save: async (_step, state) => void (kept = state) };
}

export type ClientErrorCode =
  | 'bad-input' | 'no-supernode' | 'not-enough-coins' | 'too-expensive' | 'not-sold' | 'burn-uncertain' | 'not-completed' | 'no-such-pack' | 'not-authorised'
  | 'not-run' | 'timeout'; // prettier-ignore

/** Why a story cannot go on, and what its reader can do about it. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  constructor(
    readonly code: ClientErrorCode,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** One supernode's failure; another may do better. */
export const isSupernodeTrouble = (error: unknown): error is Error =>
  error instanceof SupernodeRefused || error instanceof SupernodeUnreachable || error instanceof SupernodeUntrustworthy;

/** When and where in the chain a message is made; supernodes take no more than a block of difference. */
export async function stampOf({ chain, clock }: WalletSide): Promise<{ timestamp: string; height: number }> {
  return { height: await chain.height(), timestamp: pythonTimestamp(clock.now()) };
}

export interface Patience {
  /** Completes "waited too long for …". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly everyMs: number;
  readonly everyMsMax?: number;
  /** Factor of each further wait. */
  readonly growth?: number;
  readonly hint?: string;
}

/** Looks now and then until there is something, or patience ends. A node that is away for a moment is looked at again. */
export async function waitUntil<T>(
  { clock }: Pick<WalletSide, 'clock'>,
  patience: Patience,
  look: () => Promise<T | undefined | false>,
): Promise<T> {
  const end = clock.monotonicMs() + patience.timeoutMs;
  for (
    let wait = patience.everyMs;
    ;
    wait = Math.min(wait * (patience.growth ?? 1), patience.everyMsMax ?? Number.POSITIVE_INFINITY)
  ) {
    const found = await look().catch((error: unknown) => {
      if (error instanceof ChainUnavailable || error instanceof SupernodeUnreachable) return undefined;
      throw error;
    });
    if (found !== undefined && found !== false) return found;
    if (clock.monotonicMs() >= end)
      throw new ClientError(
        'timeout',
        `Waited too long (${Math.round(patience.timeoutMs / 1000)} s) for ${patience.what}`,
        patience.hint,
      );
    await clock.wait(wait);
  }
}
