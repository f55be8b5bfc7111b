/** A refusal as pasteld words it; `code` is one of its RPC codes (pasteld spec C.1). */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  constructor(
    readonly code: number,
    message: string,
    readonly details?: string,
  ) {
    super(message);
  }
}

export const RPC = {
  misc: -1,
  type: -3,
  wallet: -4,
  addressOrKey: -5,
  funds: -6,
  parameter: -8,
  accounts: -11,
  deserialise: -22,
  verify: -25,
  rejected: -26,
  alreadyInChain: -27,
  invalidRequest: -32600,
  unknownMethod: -32601,
  internal: -32603,
  parse: -32700,
} as const;
