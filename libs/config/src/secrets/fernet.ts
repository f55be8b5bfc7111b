import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';

const VERSION = 0x80;
const IV_AT = 9;
const TEXT_AT = 25;
const MAC_BYTES = 32;
const BLOCK_BYTES = 16;
const KEY_BYTES = 32;

const bytesOf = (text: string): Buffer | undefined => (/^[\w-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64url') : undefined);

/** Undoes the form-URL-encoding in which the original stores tokens. */
const unquoted = (text: string): string => text.replace(/%3[dD]/g, '=');

/** Nothing else begins so: the version, and a time before the year 2106. */
export const looksLikeFernet = (text: string): boolean => /^gAAAAA[\w-]{10,}={0,2}$/.test(unquoted(text));

/**
 * The text in a Fernet token, however old (messaging spec 1.4; AES-128-CBC under HMAC-SHA256). `undefined` where key and token do not fit.
 * @param key 32 bytes as URL-safe base64: half for the seal, half for the cipher
 */
export function openFernet(token: string, key: string): string | undefined {
  const [keyBytes, bytes] = [bytesOf(key.trim()), bytesOf(unquoted(token))];
  if (keyBytes?.length !== KEY_BYTES || !bytes || bytes[0] !== VERSION) return undefined;
  const textBytes = bytes.length - TEXT_AT - MAC_BYTES;
  if (textBytes < BLOCK_BYTES || textBytes % BLOCK_BYTES !== 0) return undefined;
  const sealed = bytes.subarray(0, -MAC_BYTES);
  const mac = createHmac('sha256', keyBytes.subarray(0, BLOCK_BYTES)).update(sealed).digest();
  if (!timingSafeEqual(mac, bytes.subarray(-MAC_BYTES))) return undefined;
  try {
    const decipher = createDecipheriv('aes-128-cbc', keyBytes.subarray(BLOCK_BYTES), sealed.subarray(IV_AT, TEXT_AT));
    const text = Buffer.concat([decipher.update(sealed.subarray(TEXT_AT)), decipher.final()]);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    return undefined;
  }
}
