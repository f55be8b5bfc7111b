import {
  faultsOf,
  isJsonObject,
  received,
  shapeFaultsOf,
  signerOf,
  type Checking,
  type Json,
  type MessageClass,
} from '#protocol';

export interface Read<M extends object> {
  readonly message: M;
  /** Nothing of the message may be used while there is one. */
  readonly faults: string[];
}

export const shapeFaultTexts = (message: object): string[] =>
  shapeFaultsOf(message).map(({ field, complaint }) => `${field}: ${complaint}`);

/** From the wire to a message: shape, hash, signatures and, where it matters, who signed. */
export async function readMessage<M extends object>(
  type: MessageClass<M>,
  wire: Json,
  checking: Checking,
  expectedSigner?: string,
): Promise<Read<M>> {
  if (!isJsonObject(wire)) return { message: new type(), faults: ['not a JSON object'] };
  const message = received(type, wire);
  const faults = shapeFaultTexts(message);
  if (faults.length > 0) return { message, faults };
  faults.push(...(await faultsOf(message, checking)));
  const signer = signerOf(message);
  if (expectedSigner !== undefined && signer !== expectedSigner)
    faults.push(`signed by ${signer ?? 'nobody'}, not by ${expectedSigner}`);
  return { message, faults };
}
