import { createHash } from 'node:crypto';

/** SHA3-256 (FIPS 202) of the UTF-8 text or the bytes; 64 lower-case hex digits. */
export const sha3 = (content: string | Uint8Array): string => createHash('sha3-256').update(content).digest('hex');
