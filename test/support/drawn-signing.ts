import { byDistanceTo, identityFromSeed, type Signing } from '#protocol';

/** A PastelID that follows from chance. */
export const drawnSigning = (chance: () => number): Signing =>
  identityFromSeed(Uint8Array.from({ length: 57 }, () => Math.floor(chance() * 256)));

/** Draws PastelIDs until one has this supernode as the closest of those that are listed. */
export function signingClosestTo(closest: string, listed: readonly string[], chance: () => number): Signing {
  for (;;) {
    const signing = drawnSigning(chance);
    if (byDistanceTo(signing.pastelId, listed)[0] === closest) return signing;
  }
}
