import type { Clock, Entropy } from '#protocol';

/** `on demand`: blocks come from `generate` alone. */
export type BlockSchedule =
  | 'on demand'
  | {
      /** Between two blocks when nothing waits. */
      readonly everySeconds: number;
      /** Between a block and the next one when a transaction waits. */
      readonly earlySeconds: number;
    };

export interface Credentials {
  readonly user: string;
  readonly password: string;
}
export interface SupernodeOptions extends Credentials {
  readonly ip: string;
  /** As the supernode list shows it; peers' HTTP ports are another matter. */
  readonly port: number;
  /** Of the PastelID made for it; the password where absent. */
  readonly passphrase?: string;
  readonly extAddress?: string;
  readonly extP2P?: string;
}
export interface DevnetOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Kept between runs; nothing is kept without it. */
  readonly dataFile?: string;
  readonly user: Credentials;
  readonly supernodes: readonly SupernodeOptions[];
  readonly blocks: BlockSchedule;
  /** The first block of the chain's own stands one above. */
  readonly startHeight?: number;
  /** Opens the RPC method `devnet`, which breaks things on purpose. */
  readonly controls?: boolean;
}
/** What a supernode must know of itself to use its pasteld. */
export interface DevnetSupernodeFacts {
  readonly user: string;
  readonly ip: string;
  readonly port: number;
  readonly pastelId: string;
  readonly publicKey: string;
  readonly outpoint: string;
}
