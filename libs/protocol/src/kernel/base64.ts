/** The alphabet, then the padding; the number of characters is looked at apart. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Standard base64 with padding and nothing else in it; Node's own decoder skips what it does not know. */
export const isBase64 = (text: string): boolean => text.length % 4 === 0 && BASE64.test(text);

/** The bytes; `undefined` where the text is not strict base64 or carries stray bits in its last character. */
export function decodeBase64(text: string): Buffer | undefined {
  if (!isBase64(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  const tail = text.slice(-4);
  return bytes.subarray(bytes.length - ((bytes.length - 1) % 3) - 1).toString('base64') === tail || bytes.length === 0
    ? bytes
    : undefined;
}

/** The UTF-8 text inside; `undefined` where it is not base64 of UTF-8. */
export function decodeBase64Text(text: string): string | undefined {
  const bytes = decodeBase64(text);
  try {
    return bytes && utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

export const encodeBase64 = (content: string | Uint8Array): string => Buffer.from(content as string).toString('base64');
