import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { InferenceSettings } from '#config';
import { Clock, Entropy, Refusal } from '#protocol';

const LIFE_MS = 86_400_000;
const ID_BYTES = 16;
/** 128 random bits and perhaps an ending: nothing that could lead out of the directory. */
const NAME = /^[0-9a-f]{32}(?:\.[a-z0-9]{1,8})?$/;
const UNFINISHED = /^[0-9a-f]{32}(?:\.[a-z0-9]{1,8})?\.part$/;
const SWEPT_MAX = 1000;

export interface Download {
  readonly content: Readable;
  readonly bytes: number;
}

/**
 * Files that a result is too large for, under names that nobody can guess, for a day. The directory is theirs alone. Asking never
 * deletes anything: an unknown name is answered like an expired one (inference spec 2.1, 9).
 */
@Injectable()
export class Downloads {
  constructor(
    private readonly settings: InferenceSettings,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /** The name under which the file can be fetched. `ending`: such as `png`. */
  async offer(content: Uint8Array, ending?: string): Promise<string> {
    const id = Array.from({ length: ID_BYTES }, () => this.entropy.below(256).toString(16).padStart(2, '0')).join('');
    const name = ending === undefined ? id : `${id}.${ending}`;
    if (!NAME.test(name)) throw new TypeError(`'${ending}' is no file ending`);
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const unfinished = this.pathOf(`${name}.part`);
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    const now = this.clock.now();
    await utimes(unfinished, now, now);
    await rename(unfinished, this.pathOf(name));
    return name;
  }

  /** Throws a `not-found` Refusal for what was never offered, or too long ago. */
  async open(name: string): Promise<Download> {
    const found = NAME.test(name) ? await lstat(this.pathOf(name)).catch(nothing) : undefined;
    if (!found?.isFile() || this.isOver(found.mtimeMs)) throw new Refusal('not-found', 'File not found or expired');
    return { content: createReadStream(this.pathOf(name)), bytes: found.size };
  }

  /** Deletes what is older than a day, a bounded number at a time. */
  async sweep(): Promise<void> {
    const names = await readdir(this.directory).catch(() => []);
    let deleted = 0;
    for (const name of names.filter((candidate) => NAME.test(candidate) || UNFINISHED.test(candidate))) {
      const found = await lstat(this.pathOf(name)).catch(nothing);
      if (!found?.isFile() || !this.isOver(found.mtimeMs)) continue;
      await rm(this.pathOf(name), { force: true });
      if (++deleted >= SWEPT_MAX) return;
    }
  }

  private get directory(): string {
    return this.settings.downloadDirectory;
  }
  private pathOf(name: string): string {
    return join(this.directory, name);
  }
  private isOver(offeredAtMs: number): boolean {
    return this.clock.now().getTime() - offeredAtMs >= LIFE_MS;
  }
}

const nothing = (): undefined => undefined;
