import { createHash } from 'node:crypto';
import type { Media, Surroundings } from '../provider.js';

export const sha3 = (bytes: Uint8Array): string => createHash('sha3-256').update(bytes).digest('hex');

/** Hands a file over as `url`, `hash` (SHA3-256) and `size`. It can be fetched while `work` runs, and no longer. */
export async function withLink<T>(
  { files }: Pick<Surroundings, 'files'>,
  { bytes, facts }: Media,
  work: (form: FormData) => Promise<T>,
): Promise<T> {
  const file = await files.offer(bytes, facts.format === 'text' ? 'txt' : facts.format);
  try {
    const form = new FormData();
    form.set('url', file.url);
    form.set('hash', sha3(bytes));
    form.set('size', String(bytes.length));
    return await work(form);
  } finally {
    await file.release();
  }
}
