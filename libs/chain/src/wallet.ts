/** The coins of whoever runs the node. Amounts are patoshis. */
export abstract class Wallet {
  abstract newAddress(): Promise<string>;
  abstract balance(): Promise<number>;
  /** Own addresses that hold something. */
  abstract addressAmounts(): Promise<Map<string, number>>;
  /** From any coins of the wallet. NOT idempotent. */
  abstract sendToAddress(address: string, patoshis: number, comment?: string): Promise<string>;
  /** Change goes to `changeAddress`; pasteld does not promise to spend that address's coins. NOT idempotent. */
  abstract sendMany(amounts: ReadonlyMap<string, number>, changeAddress: string, comment?: string): Promise<string>;
}
