import type { Identity, SupernodeNetwork } from '#chain';
import type { Signing } from '#protocol';

/** The node cannot sign, and what its operator can do about it. */
export class SigningError extends Error {
  override readonly name = 'SigningError';
}

/** Signs as a PastelID of pasteld's key store; the passphrase leaves this object only towards pasteld. */
export const signingBy = (identity: Identity, pastelId: string, passphrase: string): Signing => ({
  pastelId,
  sign: (text) => identity.sign(pastelId, passphrase, text),
});

/**
 * The node's own signature: by the configured PastelID, else by that of its row in the supernode list.
 * Signs once, so that a wrong passphrase shows at the start. Throws {@link SigningError}, ChainUnavailable.
 */
export async function nodeSigning(
  settings: { readonly pastelId: string | undefined; readonly passphrase: string | undefined },
  identity: Identity,
  network: SupernodeNetwork,
): Promise<Signing> {
  const pastelId = settings.pastelId ?? (await network.self())?.pastelId;
  if (pastelId === undefined)
    throw new SigningError('pasteld is no supernode with a registered PastelID; set LOCAL_PASTEL_ID to sign as another one');
  if (settings.passphrase === undefined) throw new SigningError(`LOCAL_PASTEL_ID_PASSPHRASE is not set; it unlocks ${pastelId}`);
  const signing = signingBy(identity, pastelId, settings.passphrase);
  await signing.sign('pastel-inference-layer');
  return signing;
}
