import { secp256k1 } from '@noble/curves/secp256k1.js';
import { ripemd160 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import bs58check from 'bs58check';
import { networks, type Network } from './network.js';

type NetworkName = Network['name'];
const HASH_BYTES = 20;
const KEY_BYTES = 32;
/** Says that the key's public half is used in its compressed form. */
const COMPRESSED = 1;

/** RIPEMD-160 of SHA-256: what an address says of a key. */
export const hash160 = (bytes: Uint8Array): Uint8Array => ripemd160(sha256(bytes));

/** The pay-to-public-key-hash address of a public key, compressed or not (pasteld spec B.1). */
export const addressOfPublicKey = (network: NetworkName, publicKey: Uint8Array): string =>
  addressOfHash(network, hash160(publicKey));

/** The address of a 20-byte public key hash. */
export const addressOfHash = (network: NetworkName, hash: Uint8Array): string =>
  bs58check.encode(Buffer.concat([Buffer.from(networks[network].addressPrefix, 'hex'), hash]));

/** The 20-byte hash inside; `undefined` where the text is no pay-to-public-key-hash address of this network. */
export function hashOfAddress(network: NetworkName, address: string): Uint8Array | undefined {
  const prefix = Buffer.from(networks[network].addressPrefix, 'hex');
  const payload = decoded(address);
  if (payload?.length !== prefix.length + HASH_BYTES || !prefix.equals(payload.subarray(0, prefix.length))) return undefined;
  return payload.subarray(prefix.length);
}

/** Whether coins can be sent there on this network: prefix, length and checksum are right. */
export const isAddress = (network: NetworkName, text: string): boolean => hashOfAddress(network, text) !== undefined;

export interface WifKey {
  readonly privateKey: Uint8Array;
  readonly compressed: boolean;
}

/** Wallet import format of a private key. */
export const wifEncode = (network: NetworkName, { privateKey, compressed }: WifKey): string =>
  bs58check.encode(
    Buffer.concat([Buffer.of(networks[network].wifPrefix), privateKey, compressed ? Buffer.of(COMPRESSED) : Buffer.alloc(0)]),
  );

/** `undefined` where the text is no private key of this network; testnet and devnet share their prefix. */
export function wifDecode(network: NetworkName, wif: string): WifKey | undefined {
  const payload = decoded(wif);
  if (payload?.[0] !== networks[network].wifPrefix) return undefined;
  const privateKey = payload.subarray(1, 1 + KEY_BYTES);
  const compressed = payload.length === KEY_BYTES + 2 && payload[KEY_BYTES + 1] === COMPRESSED;
  if (!compressed && payload.length !== KEY_BYTES + 1) return undefined;
  return secp256k1.utils.isValidSecretKey(privateKey) ? { privateKey, compressed } : undefined;
}

/** The address that coins come in at for whoever holds this key; `undefined` as for {@link wifDecode}. */
export function addressOfWif(network: NetworkName, wif: string): string | undefined {
  const key = wifDecode(network, wif);
  return key && addressOfPublicKey(network, secp256k1.getPublicKey(key.privateKey, key.compressed));
}

/** No address or key is longer, and decoding base58 costs the square of the length. */
const TEXT_MAX = 64;
const decoded = (text: string): Uint8Array | undefined => (text.length <= TEXT_MAX ? bs58check.decodeUnsafe(text) : undefined);
