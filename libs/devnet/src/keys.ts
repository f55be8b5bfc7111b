import bs58check from 'bs58check';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { addressOfHash as addressOn, hashOfAddress, wifDecode, wifEncode } from '#protocol';
import { hash160, hash256, sizedText } from './bytes.js';

const NETWORK = 'devnet';
const P2SH_PREFIX = Buffer.from('6409', 'hex');
/** No address or key is longer, and decoding costs the square of the length. */
const TEXT_MAX = 64;
/** Zcash's magic was kept (pasteld spec B.4). */
const MESSAGE_MAGIC = 'Zcash Signed Message:\n';

export interface KeyPair {
  readonly secret: Buffer;
  readonly publicKey: Buffer;
  readonly compressed: boolean;
  readonly address: string;
}

export function keyPair(secret: Buffer, compressed = true): KeyPair {
  const publicKey = Buffer.from(secp256k1.getPublicKey(secret, compressed));
  return { secret, publicKey, compressed, address: addressOfHash(hash160(publicKey)) };
}

export const addressOfHash = (hash: Uint8Array): string => addressOn(NETWORK, hash);
export const wif = (key: KeyPair): string => wifEncode(NETWORK, { privateKey: key.secret, compressed: key.compressed });

/** The reason is pasteld's, for `Invalid private key, <reason>`. */
export function keyFromWif(text: string): KeyPair | { readonly reason: string } {
  const payload = decoded(text);
  if (!payload) return { reason: 'failed to decode base58-encoded string' };
  if (payload.length < 33) return { reason: 'length is less than 32 bytes' };
  const key = wifDecode(NETWORK, text);
  return key ? keyPair(Buffer.from(key.privateKey), key.compressed) : { reason: 'invalid prefix' };
}
const decoded = (text: string): Uint8Array | undefined => (text.length <= TEXT_MAX ? bs58check.decodeUnsafe(text) : undefined);

/** The output script that pays an address of the devnet; undefined for anything else. */
export function scriptOf(address: string): Buffer | undefined {
  const hash = hashOfAddress(NETWORK, address);
  if (hash) return Buffer.concat([Buffer.from('76a914', 'hex'), hash, Buffer.from('88ac', 'hex')]);
  const payload = decoded(address);
  if (payload?.length !== 22 || !P2SH_PREFIX.equals(payload.subarray(0, 2))) return undefined;
  return Buffer.concat([Buffer.from('a914', 'hex'), payload.subarray(2), Buffer.from('87', 'hex')]);
}

export function isKeyScript(script: Buffer): boolean {
  return script.length === 25 && script.readUIntBE(0, 3) === 0x76a914 && script.readUInt16BE(23) === 0x88ac;
}
export function isScriptHash(script: Buffer): boolean {
  return script.length === 23 && script.readUInt16BE(0) === 0xa914 && script[22] === 0x87;
}
export function addressOf(script: Buffer): string | undefined {
  if (isKeyScript(script)) return addressOfHash(script.subarray(3, 23));
  if (isScriptHash(script)) return bs58check.encode(Buffer.concat([P2SH_PREFIX, script.subarray(2, 22)]));
  return undefined;
}

const messageHash = (message: string): Buffer => hash256(Buffer.concat([sizedText(MESSAGE_MAGIC), sizedText(message)]));

/** Base64 of the 65-byte recoverable form. */
export function signMessage(key: KeyPair, message: string): string {
  const signature = Buffer.from(secp256k1.sign(messageHash(message), key.secret, { prehash: false, format: 'recovered' }));
  signature[0] = 27 + (signature[0] ?? 0) + (key.compressed ? 4 : 0);
  return signature.toString('base64');
}
export function messageSigner(signature: Buffer, message: string): string | undefined {
  const header = signature[0] ?? 0;
  if (signature.length !== 65 || header < 27 || header > 34) return undefined;
  const recovered = Buffer.concat([Buffer.from([(header - 27) & 3]), signature.subarray(1)]);
  try {
    const compressedKey = secp256k1.recoverPublicKey(recovered, messageHash(message), { prehash: false });
    const key = secp256k1.Point.fromBytes(compressedKey).toBytes(header >= 31);
    return addressOfHash(hash160(key));
  } catch {
    return undefined;
  }
}
