import { sha3 } from './kernel/hash.js';

const hashOfText = (text: string): bigint => BigInt(`0x${sha3(text)}`);

/** Distance of two texts: XOR of their SHA3-256 digests (credit-packs spec 5.1). */
export const distance = (a: string, b: string): bigint => hashOfText(a) ^ hashOfText(b);

/** Ascending and stable by distance to the text, as peers order PastelIDs (5.1). */
export const byDistanceTo = (text: string, pastelIds: readonly string[]): string[] => ordered(pastelIds, hashOfText(text));

/** Candidates for a price agreement: the merkle root is read as a number, not hashed (5.3). */
export const byDistanceToRawMerkleRoot = (merkleRoot: string, pastelIds: readonly string[]): string[] =>
  ordered(pastelIds, BigInt(`0x${merkleRoot}`));

/** The first n are the signers that a ticket includes: the merkle root's TEXT is hashed (5.5). */
export const byDistanceToHashedMerkleRoot = (merkleRoot: string, pastelIds: readonly string[]): string[] =>
  byDistanceTo(merkleRoot, pastelIds);

function ordered(pastelIds: readonly string[], target: bigint): string[] {
  return pastelIds
    .map((pastelId) => ({ pastelId, distance: hashOfText(pastelId) ^ target }))
    .sort((a, b) => (a.distance < b.distance ? -1 : a.distance > b.distance ? 1 : 0))
    .map(({ pastelId }) => pastelId);
}
