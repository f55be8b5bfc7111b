import { byDistanceTo, identityFromSeed, type Signing } from '#protocol';

/** Draws PastelIDs until one has this supernode as the closest of those that are listed. */
export function signingClosestTo(closest: string, listed: readonly string[], chance: () => number): Signing {
  for (;;) {
    const signing = identityFromSeed(Uint8Array.from({ length: 57 }, () => Math.floor(chance() * 256)));
    if (byDistanceTo(signing.pastelId, listed)[0] === closest) return signing;
  }
}
