/** The three public networks (pasteld spec B.1); clients tell them apart by pasteld's RPC port alone. */
export interface Network {
  readonly name: 'mainnet' | 'testnet' | 'devnet';
  readonly rpcPort: number;
  /** Coins sent here are gone; purchases and usage are paid so. */
  readonly burnAddress: string;
  readonly supernodeCollateralInPsl: number;
  /** Two bytes before the hash160 of a pay-to-public-key-hash address. */
  readonly addressPrefix: string;
  readonly wifPrefix: number;
}

export const networks: Record<Network['name'], Network> = {
  mainnet: {
    name: 'mainnet',
    rpcPort: 9932,
    burnAddress: 'PtpasteLBurnAddressXXXXXXXXXXbJ5ndd',
    supernodeCollateralInPsl: 5_000_000,
    addressPrefix: '0ce3',
    wifPrefix: 0x80,
  },
  testnet: {
    name: 'testnet',
    rpcPort: 19932,
    burnAddress: 'tPpasteLBurnAddressXXXXXXXXXXX3wy7u',
    supernodeCollateralInPsl: 1_000_000,
    addressPrefix: '1cef',
    wifPrefix: 0xef,
  },
  devnet: {
    name: 'devnet',
    rpcPort: 29932,
    burnAddress: '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7',
    supernodeCollateralInPsl: 1_000_000,
    addressPrefix: '641c',
    wifPrefix: 0xef,
  },
};

export const networkOfRpcPort = (port: number): Network | undefined =>
  Object.values(networks).find((network) => network.rpcPort === port);

/** Smallest unit of PSL: 1 PSL = 100,000 patoshis (pasteld spec B.2). */
export const PATOSHIS_PER_PSL = 100_000;
/** Tracking burns carry tenths of credits as patoshis (CREDIT_USAGE_TO_TRACKING_AMOUNT_MULTIPLIER). */
export const TENTHS_PER_CREDIT = 10;
/** The ledger counts in thousandths of a credit: finer than what a burn can say, for what is spent without one. */
export const MILLICREDITS_PER_CREDIT = 1000;
export const MILLICREDITS_PER_TENTH = 100;
/** Larger outputs to the burn address are purchases, not usage (credit-packs spec 5.12). */
export const USAGE_BURN_PATOSHIS_MAX = 100_000;
export const CREDIT_PACK_TICKET_SUBTYPE = 'INFERENCE_API_CREDIT_PACK_TICKET';
