/** PastelIDs kept by the node. Verification needs no node: see `Checking` in #protocol. */
export abstract class Identity {
  /** Makes and stores a key; gives its PastelID. Not yet on the chain. */
  abstract create(passphrase: string): Promise<string>;
  abstract list(): Promise<string[]>;
  /** Ed448 over the UTF-8 text; standard base64, 152 characters. */
  abstract sign(pastelId: string, passphrase: string, text: string): Promise<string>;
  abstract verify(pastelId: string, text: string, signature: string): Promise<boolean>;
  /** Writes the PastelID to the chain; costs 1000 PSL from `address`. */
  abstract register(pastelId: string, passphrase: string, address: string): Promise<{ txid: string }>;
  /** Whether a mined ticket names it. */
  abstract isRegistered(pastelId: string): Promise<boolean>;
}
