import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MenuCandidate } from './menu-source.rules.js';

/** One file for menu and signature, so that they change together. */
const FILE = 'model_menu.kept.json';

/** The last good menu from elsewhere, in a folder that only this user may read. */
export class MenuStore {
  constructor(private readonly directory: string) {}

  /** Undefined where there is none, or none that can be read. */
  async read(): Promise<MenuCandidate | undefined> {
    try {
      const kept = JSON.parse(await readFile(join(this.directory, FILE), 'utf8')) as { body?: unknown; signature?: unknown };
      if (typeof kept.body !== 'string') return undefined;
      return {
        body: Buffer.from(kept.body, 'base64'),
        signature: typeof kept.signature === 'string' ? kept.signature : undefined,
      };
    } catch {
      return undefined;
    }
  }

  /** Old or new, never half of it, whenever the process ends. */
  async write({ body, signature }: MenuCandidate): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const [unfinished, finished] = [join(this.directory, `${FILE}.new`), join(this.directory, FILE)];
    const kept = JSON.stringify({ body: Buffer.from(body).toString('base64'), signature });
    await writeFile(unfinished, kept, { mode: 0o600, flush: true });
    await rename(unfinished, finished);
  }
}
